import { cleanIdempotencyKeys } from '../adapters/postgres/idempotency.ts';
import type { Role } from '../config/config.ts';
import { systemClock as clock } from '../kernel/clock.ts';
import { systemRandom as random } from '../kernel/random.ts';
import { type ApiDeps, apiRoutes, openApi } from '../roles/api.ts';
import { EndedLogins } from '../roles/ended-logins.ts';
import { openGateway } from '../roles/gateway.ts';
import { openIndexer } from '../roles/indexer.ts';
import { openWorker } from '../roles/worker.ts';
import { refuse } from '../transport/http/problems.ts';
import type { Application } from '../transport/http/server.ts';
import { type ComposeOptions, composeFeatures, type Features } from './features.ts';
import { operationsReport } from './operations.ts';
import { VERSION } from './version.ts';

/**
 * The features, and the roles of this process on them. Every process has all features: they are made of the shared stores and
 * cost nothing that is not asked for. A role is what asks: requests, sockets, jobs, changes. What is said in chats is committed where
 * the role `chat` is (`createChat`).
 */
export async function composeApplication(options: ComposeOptions) {
  const { config, log, roles } = options;
  await using opening = new AsyncDisposableStack();
  const features = opening.use(await composeFeatures(options));
  const { accounts, changes, chat, demo, jobs, media, notifications, tuning, videos } = features;
  const endedLogins = opening.use(
    await EndedLogins.open({ authentication: accounts.authentication, bus: features.bus, log }),
  );
  const gateway = roles.includes('gateway')
    ? opening.use(openGateway({ ...gatewayDeps(options, features), endedLogins }))
    : undefined;
  const worker = roles.includes('worker') ? openWorker(workerDeps(options, features)) : undefined;
  const consumers = [notifications.consumer, tuning.creators, demo.consumer];
  const indexer = roles.includes('indexer') ? openIndexer({ changes, consumers }) : undefined;
  const http = httpOf(options, features, gateway?.sockets);
  const opened = opening.move();
  return {
    http,
    features,
    async startBackground(): Promise<void> {
      if ((await accounts.registration.instance()).setupRequired)
        log.info({ code: accounts.registration.setupCode }, 'set-up code, for a browser on another machine');
      // Under the data lock no other process can be working on the jobs that an earlier one left.
      const isOnly = config.profile === 'embedded';
      if (worker && isOnly) await jobs.reclaimAll();
      if (answersRequests(roles)) features.exists.start();
      // Rates of what this process sees, whichever of its roles does.
      if (roles.length > 0) tuning.start();
      if (worker) await worker.start({ isOnly });
      else if (roles.length > 0) features.counters.startSettling();
      indexer?.start();
      await jobs.start();
    },
    /** Ends what would never end by itself: event streams and uploads under way. */
    async drain(): Promise<void> {
      videos.drain();
      chat.sync.drain();
      await chat.committer.leave();
      await gateway?.drain();
      await media.close();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Over HTTP, or over sockets. */
const answersRequests = (roles: readonly Role[]) => roles.includes('api') || roles.includes('gateway');

function httpOf(
  { log, platform, roles, ...options }: ComposeOptions,
  features: Features,
  sockets: Application['sockets'],
): Omit<Application, 'staticFiles'> {
  const { accounts, traces } = features;
  const api = apiDeps({ log, platform, roles, ...options }, features);
  const nothing = { routes: [], rawRoutes: {}, pages: {} };
  const { pages, rawRoutes, routes } = roles.includes('api') ? openApi(api) : nothing;
  return {
    ...{ traces, routes, pages, sockets },
    authenticate: (token) => accounts.authentication.viewerOf(token),
    // A socket carries all requests, wherever it ends.
    socketRoutes: roles.includes('api') ? routes : apiRoutes(api),
    rawRoutes: sockets ? rawRoutes : { ...rawRoutes, '/ws': async () => refuse('not-found') },
    notReady: async () => {
      try {
        await platform.database.ping();
        return [];
      } catch (error) {
        log.warn({ err: error }, 'the database does not answer');
        return ['database'];
      }
    },
  };
}

function apiDeps({ config, log }: ComposeOptions, features: Features): ApiDeps {
  return {
    ...{ ...features, clock, log },
    operations: () => operationsReport(features),
    settings: {
      version: VERSION,
      limits: {
        uploadMaxBytes: config.HVIDEO_UPLOAD_MAX_BYTES,
        videoMaxMs: config.HVIDEO_VIDEO_MAX_SECONDS * 1000,
      },
      publicOrigin: config.HVIDEO_PUBLIC_URL ? new URL(config.HVIDEO_PUBLIC_URL).origin : undefined,
      trustedProxies: config.HVIDEO_TRUSTED_PROXIES,
    },
  };
}

function gatewayDeps({ config, log, metrics }: ComposeOptions, { accounts, chat, nodeName }: Features) {
  const { authentication } = accounts;
  return {
    ...{ clock, random, log, metrics, authentication, chat },
    settings: {
      hasLimits: config.HVIDEO_LIMITS,
      version: VERSION,
      node: config.HVIDEO_NODE_URL ?? nodeName,
      drainMs: Math.min(5_000, config.HVIDEO_SHUTDOWN_SECONDS * 500),
    },
  };
}

function workerDeps({ log }: ComposeOptions, features: Features) {
  const { db, timelines } = features;
  return {
    ...{ ...features, log },
    sweepTimelines: timelines.sweep,
    cleanIdempotencyKeys: async (signal: AbortSignal) => {
      await cleanIdempotencyKeys(db, signal);
    },
  };
}
