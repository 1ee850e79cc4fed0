import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config.ts';
import { loadSecrets } from '../../src/config/secrets.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { Metrics } from '../../src/kernel/metrics.ts';
import { composeApplication } from '../../src/main/compose.ts';
import { HttpServer } from '../../src/transport/http/server.ts';
import { StaticFiles } from '../../src/transport/http/static-files.ts';
import { testDatabase, testLog } from './database.ts';

export type RunningApplication = Awaited<ReturnType<typeof runApplication>>;

/** The whole program as `serve` puts it together, in this process and on the database that the suites share. */
export async function runApplication(
  env: Readonly<Record<string, string>> = {},
  /** The folder of a built web app; without one only the API is served. */
  webApp?: string,
) {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-application-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const test = opening.use(await testDatabase());
  const config = loadConfig({
    HVIDEO_DATA: join(folder, 'data'),
    HVIDEO_LIMITS: 'false',
    HVIDEO_CHANGE_FEED: 'outbox',
    ...env,
  });
  const database = test.database;
  const application = opening.use(
    await composeApplication({
      ...{ config, log: testLog, demo: false, roles: config.HVIDEO_ROLES },
      platform: {
        database,
        databaseUrl: test.url,
        schemaVersion: 0,
        besideServer: false,
        [Symbol.asyncDispose]: async () => {},
      },
      secrets: await loadSecrets({ keysJson: undefined, dataDir: config.HVIDEO_DATA }),
    }),
  );
  const http = new HttpServer({
    ...{ hostname: '127.0.0.1', port: 0, version: 'test', log: testLog, clock: systemClock },
    ...{ metrics: new Metrics(), maxBodyBytes: 2 ** 26, publicOrigin: undefined, trustedProxies: 0 },
    rateLimits: config.HVIDEO_LIMITS,
    allowedOrigins: config.HVIDEO_ALLOWED_ORIGINS,
  });
  opening.defer(async () => {
    await application.drain();
    await http.drain(1_000);
  });
  http.open({ ...application.http, staticFiles: webApp ? new StaticFiles(webApp) : undefined });
  await application.startBackground();
  const opened = opening.move();
  return {
    ...{
      url: http.url,
      routes: application.http.routes,
      features: application.features,
      db: database,
      databaseUrl: test.url,
      folder,
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
