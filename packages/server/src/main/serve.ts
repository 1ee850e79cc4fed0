import { StartError } from '../adapters/postgres/start-error.ts';
import type { Config } from '../config/config.ts';
import { loadSecrets } from '../config/secrets.ts';
import { systemClock } from '../kernel/clock.ts';
import { createLogger, type Logger } from '../kernel/log.ts';
import { Metrics } from '../kernel/metrics.ts';
import { HttpServer } from '../transport/http/server.ts';
import { composeApplication } from './compose.ts';
import { openPlatform } from './platform.ts';
import { demoClipsOf } from './seed.ts';
import { stopSignal } from './stop-signal.ts';
import { VERSION } from './version.ts';
import { loadWebApp } from './web-app.ts';

export interface ServeOptions {
  readonly json?: boolean;
  /** Fill an empty instance with demo content; a number limits the clips. */
  readonly demo?: boolean | string;
}

/** Room for what a request carries besides the file itself. */
const requestOverheadBytes = 1024 * 1024;

/** Runs until a signal; then drains and exits 0. */
export async function serve(config: Config, options: ServeOptions): Promise<void> {
  const log = createLogger(config.HVIDEO_LOG_LEVEL);
  const stopping = stopSignal(log);
  const startedMs = systemClock.monotonicMs();
  const demoClips = demoClipsOf(options.demo);

  await using resources = new AsyncDisposableStack();
  const metrics = new Metrics();
  const http = openHttp(config, log, metrics);
  resources.defer(() => http.drain(config.HVIDEO_SHUTDOWN_SECONDS * 1000));
  const { platform, staticFiles } = await openBase(config, log, stopping.fail, resources);
  const secrets = await loadSecrets({ keysJson: config.HVIDEO_KEYS, dataDir: config.HVIDEO_DATA });
  const application = resources.use(
    await composeApplication({
      config,
      log,
      metrics,
      platform,
      secrets,
      demo: demoClips !== undefined,
      roles: config.HVIDEO_ROLES,
    }),
  );
  const { demo } = application.features;
  // Before the first visitor can join: nobody can have the name of somebody in the demo.
  const filling = demoClips !== undefined && (await demo.begin()) && !(await demo.isComplete());
  // Asked to stop during the start: then nothing is opened any more.
  if (!stopping.requested()) {
    http.open({ ...application.http, staticFiles });
    process.stdout.write(options.json ? `${JSON.stringify({ ready: http.url })}\n` : `ready ${http.url}\n`);
    log.info(
      {
        url: http.url,
        version: VERSION,
        roles: config.HVIDEO_ROLES,
        ms: Math.round(systemClock.monotonicMs() - startedMs),
      },
      'ready',
    );
    await application.startBackground();
    if (filling) await demo.enqueue(demoClips);
  }

  const reason = await stopping.reason;
  log.info({ reason: reason.text }, 'stopping');
  // First no new requests, then no new work, then the database: the reverse of the start, which the stack keeps,
  // except that requests under way still need everything below them.
  await application.drain();
  await http.drain(config.HVIDEO_SHUTDOWN_SECONDS * 1000);
  await resources.disposeAsync();
  log.info('stopped');
  process.exit(reason.exitCode);
}

/** The database and the web app, at the same time: they are what a start takes longest for. */
async function openBase(
  config: Config,
  log: Logger,
  fail: (reason: string) => void,
  resources: AsyncDisposableStack,
) {
  const [platform, webApp] = await Promise.allSettled([
    openPlatform(config, log, { onDatabaseLost: () => fail('the database cannot be brought back') }),
    config.HVIDEO_ROLES.includes('api') ? loadWebApp(log) : undefined,
  ]);
  // Both have settled: whatever fails now, a database that was started is stopped again.
  if (platform.status === 'rejected') throw platform.reason;
  resources.use(platform.value);
  if (webApp.status === 'rejected') throw webApp.reason;
  return { platform: platform.value, staticFiles: webApp.value };
}

function openHttp(config: Config, log: Logger, metrics: Metrics): HttpServer {
  try {
    return listen(config, log, metrics);
  } catch (error) {
    const address = `${config.HVIDEO_HOST}:${config.HVIDEO_PORT}`;
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const problem = isTaken ? 'something listens there already' : String(error);
    throw new StartError(
      `cannot listen on ${address}: ${problem}`,
      'Stop what listens there, or choose another address with --port and --host.',
      error,
    );
  }
}

function listen(config: Config, log: Logger, metrics: Metrics): HttpServer {
  return new HttpServer({
    hostname: config.HVIDEO_HOST,
    port: config.HVIDEO_PORT,
    version: VERSION,
    log,
    clock: systemClock,
    metrics,
    maxBodyBytes: config.HVIDEO_UPLOAD_MAX_BYTES + requestOverheadBytes,
    publicOrigin: config.HVIDEO_PUBLIC_URL ? new URL(config.HVIDEO_PUBLIC_URL).origin : undefined,
    trustedProxies: config.HVIDEO_TRUSTED_PROXIES,
    allowedOrigins: config.HVIDEO_ALLOWED_ORIGINS,
    rateLimits: config.HVIDEO_LIMITS,
  });
}
