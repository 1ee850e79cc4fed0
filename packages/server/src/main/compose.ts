import { mkdir } from 'node:fs/promises';
import { openDiskMediaStore } from '../adapters/disk/media-store.ts';
import { openFfmpegTranscoder } from '../adapters/ffmpeg/transcoder.ts';
import { LogCodeSender } from '../adapters/memory/log-code-sender.ts';
import { PostgresConversationStore } from '../adapters/postgres/chat/conversation-store.ts';
import { PostgresDeviceStore } from '../adapters/postgres/chat/device-store.ts';
import { PostgresMessageStore } from '../adapters/postgres/chat/message-store.ts';
import { cleanIdempotencyKeys } from '../adapters/postgres/idempotency.ts';
import { openJobQueue } from '../adapters/postgres/job-queue.ts';
import { leaseNode } from '../adapters/postgres/node-lease.ts';
import type { Config } from '../config/config.ts';
import type { Secrets } from '../config/secrets.ts';
import { createDemo, openStudio } from '../demo/index.ts';
import { addressKey, createAccounts } from '../features/accounts/index.ts';
import { createChat, createChatRecords } from '../features/chat/index.ts';
import { createCounters } from '../features/counters/index.ts';
import { createDetail, createVideoExistence } from '../features/detail/index.ts';
import { CountTexts, createCardState, createEngagement } from '../features/engagement/index.ts';
import { createGraph } from '../features/graph/index.ts';
import { createHistory, SegmentEvidence } from '../features/history/index.ts';
import { createMedia } from '../features/media/index.ts';
import { createNotifications } from '../features/notifications/index.ts';
import {
  createOutboxes,
  createPublishing,
  createTimeline,
  createTuning,
} from '../features/timeline/index.ts';
import {
  cleanFences,
  createVideos,
  defineVideoPages,
  followVisibility,
  type People,
} from '../features/videos/index.ts';
import { systemClock } from '../kernel/clock.ts';
import { createCursorCodec } from '../kernel/cursor.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Metrics } from '../kernel/metrics.ts';
import { randomToken, systemRandom } from '../kernel/random.ts';
import { remembered } from '../kernel/remembered.ts';
import { authRoutes, instanceRoutes, meRoutes } from '../transport/http/routes/accounts.ts';
import { chatRoutes } from '../transport/http/routes/chat.ts';
import { engagementRoutes } from '../transport/http/routes/engagement.ts';
import { feedRoutes } from '../transport/http/routes/feed.ts';
import { graphRoutes } from '../transport/http/routes/graph.ts';
import { historyRoutes } from '../transport/http/routes/history.ts';
import { mediaRoutes } from '../transport/http/routes/media.ts';
import { notificationRoutes } from '../transport/http/routes/notifications.ts';
import { oembedRoutes, type SharedVideosDeps } from '../transport/http/routes/oembed.ts';
import { operationsRoutes } from '../transport/http/routes/operations.ts';
import { uploadRoutes } from '../transport/http/routes/uploads.ts';
import { videoPages } from '../transport/http/routes/video-pages.ts';
import { videoRoutes } from '../transport/http/routes/videos.ts';
import type { Application } from '../transport/http/server.ts';
import { Traces } from '../transport/http/traces.ts';
import { openCache, openChangeFeed, openShared } from './derived.ts';
import { ffmpegUnusable } from './ffmpeg-unusable.ts';
import { openGateway } from './gateway.ts';
import { operationsReport } from './operations.ts';
import { type OwnTimelines, openCounterStore, openTimelineStore } from './own-stores.ts';
import { mediaFolder, type Platform, workFolder } from './platform.ts';
import { VERSION } from './version.ts';

const dayMs = 86_400_000;
/** The community's name changes when it is set up, and hardly ever after. */
const nameTtlMs = 30_000;

export interface ComposeOptions {
  readonly metrics?: Metrics;
  readonly config: Config;
  readonly log: Logger;
  readonly platform: Platform;
  readonly secrets: Secrets;
  /** An empty instance is to be filled with demo content. */
  readonly demo: boolean;
  /** Whether jobs are worked on here; a command that only writes leaves them to the server. */
  readonly work: boolean;
}

export type Features = Awaited<ReturnType<typeof composeFeatures>>;

/** Chooses the adapters and builds every feature on them. */
export async function composeFeatures(options: ComposeOptions) {
  const { config, log, platform, secrets, work } = options;
  const { database: db } = platform;
  await using opening = new AsyncDisposableStack();
  const clock = systemClock;
  const random = systemRandom;
  const workDir = workFolder(config);
  await mkdir(workDir, { recursive: true });
  const [lease, store, transcoder] = await Promise.all([
    leaseNode({ database: db, log, clock, random }),
    openDiskMediaStore({ root: mediaFolder(config), clock, random }),
    openFfmpegTranscoder({
      binaries: { ffmpeg: config.HVIDEO_FFMPEG, ffprobe: config.HVIDEO_FFPROBE },
      limits: { maxDurationMs: config.HVIDEO_VIDEO_MAX_SECONDS * 1000 },
      clock,
    }).catch((error: unknown) => {
      throw ffmpegUnusable(error);
    }),
  ]);
  opening.use(lease);
  const { ids } = lease;
  const shared = await openShared(options, opening);
  const traces = opening.use(await Traces.open(shared.bus, log.child({ part: 'traces' })));
  const { announcements, fences } = shared;
  const counters = createCounters({
    ...{ db, ids, clock, random },
    store: shared.counterStore ?? (await openCounterStore(options, opening)),
    log: log.child({ part: 'counters' }),
  });
  opening.defer(() => counters.close());
  await counters.open();
  const caching = await openCache(options, shared, opening);
  const { cache, tell } = caching;
  const cardState = createCardState(db, counters, clock);
  // Before the jobs, which work on it until they have ended.
  const timelines: OwnTimelines = shared.timelineStore
    ? { store: shared.timelineStore }
    : await openTimelineStore(options, opening);
  const jobs = opening.use(openJobQueue({ database: db, log: log.child({ part: 'jobs' }), clock, work }));
  const cursors = createCursorCodec(secrets.cursor);
  const accounts = await createAccounts({
    ...{ db, ids, clock, random, jobs, cursors, counters, transcoder, tell },
    codeSender: new LogCodeSender(log),
    media: store,
    keys: { jwt: secrets.jwt, refreshToken: secrets.refreshToken },
    settings: {
      registration: config.HVIDEO_REGISTRATION,
      accessTokenTtlMs: config.HVIDEO_ACCESS_TOKEN_SECONDS * 1000,
      sessionIdleMs: config.HVIDEO_SESSION_DAYS * dayMs,
      instanceName: config.HVIDEO_NAME,
      demo: options.demo,
      temporaryDir: workDir,
    },
    log,
  });
  const graph = createGraph({ db, ids, clock, cursors, accounts, announcements, counters, tell, log });
  const media = createMedia({
    ...{ db, store, transcoder, jobs, ids, clock },
    linkKeys: secrets.media,
    settings: { maxBytes: config.HVIDEO_UPLOAD_MAX_BYTES, accountMaxBytes: config.HVIDEO_ACCOUNT_MAX_BYTES },
  });
  const people: People = {
    cards: (accountIds) => accounts.profiles.cards(accountIds),
    relations: graph.relations,
    resolve: (reference, viewerId) => graph.resolve(reference, viewerId).catch(undefinedIfNotFound),
  };
  const outboxes = createOutboxes({ db, announcements, clock });
  const videos = createVideos({
    ...{ db, jobs, store, transcoder, ids, clock, log, cursors, people, media },
    ...{ fences, announcements, tell, reactions: cardState, outbox: outboxes },
    settings: { workDir, keepOriginals: true, transcodeConcurrency: config.HVIDEO_TRANSCODE_CONCURRENCY },
  });
  const engagement = createEngagement({
    ...{ db, ids, clock, cursors, counters, people, tell, fences, outbox: outboxes },
    videos: videos.reads,
  });
  const exists = opening.use(createVideoExistence({ db, clock, log }));
  const pages = defineVideoPages({ db, cache, exists });
  followVisibility(announcements, cache);
  const timelineDeps = {
    ...{ db, clock, ids, announcements, counters, store: timelines.store, outboxes },
    log: log.child({ part: 'timeline' }),
    ...(options.metrics && { metrics: options.metrics }),
  };
  const tuning = createTuning(timelineDeps);
  const publishing = createPublishing({
    ...{ ...timelineDeps, costs: tuning.costs },
    notePosts: (authorIds) => tuning.creators.notePosts(authorIds),
  });
  const timeline = createTimeline({
    ...timelineDeps,
    ...{ cursors, cache, fences, pages, cardState, tell, tuning },
    ...{ videos: videos.reads, presenter: videos.presenter },
    countTexts: new CountTexts({
      cardState,
      counters,
      clock,
      isAlone: !config.DATABASE_URL && !config.REDIS_URL && work,
    }),
  });
  opening.use(timeline.reading);
  opening.defer(() => tuning.stop());
  opening.defer(() => publishing.stop());
  const detail = createDetail({
    ...{ db, cache, exists, pages, fences, cardState, clock, log },
    ...{ comments: engagement.comments, presenter: videos.presenter },
  });
  const evidence = opening.use(await SegmentEvidence.open({ clock, log, bus: shared.bus }));
  const history = createHistory({
    ...{ db, clock, cursors, counters, evidence },
    ...{ videos: videos.reads, lists: engagement.lists },
  });
  const notifications = createNotifications({ db, clock, cursors, people, presenter: videos.presenter });
  opening.defer(() => history.views.drain());
  const chatStores = {
    messages: new PostgresMessageStore(db),
    conversations: new PostgresConversationStore(db),
    devices: new PostgresDeviceStore(db),
  };
  const nodeName = randomToken(random, 12);
  const chat = opening.use(
    await createChat({
      ...{ ...chatStores, clock, random, ids, cursors, nodeName, bus: shared.bus },
      address: config.HVIDEO_NODE_URL,
      hasLimits: config.HVIDEO_LIMITS,
      routes: opening.use(shared.openRoutes(nodeName, () => lease.identity)),
      people: { cards: people.cards, reachable: (accountIds) => accounts.profiles.reachable(accountIds) },
      log: log.child({ part: 'chat' }),
      ...(options.metrics && { metrics: options.metrics }),
    }),
  );
  const chatRecords = createChatRecords({
    ...{ db, ids, clock, jobs, told: chat.told },
    conversations: chatStores.conversations,
  });
  accounts.departure.accountParts.push(
    ...[
      graph.accountPart,
      history.accountPart,
      notifications.accountPart,
      engagement.accountPart,
      chatRecords.accountPart,
      videos.accountPart,
      media.accountPart,
    ],
  );
  jobs.schedule('idempotency-clean', '7 * * * *', async (signal) => {
    await cleanIdempotencyKeys(db, signal);
  });
  jobs.schedule('history-clean', '37 * * * *', () => history.clean());
  jobs.schedule('notifications-clean', '57 3 * * *', (signal) => notifications.clean(signal));
  jobs.schedule('engagement-audit', '27 3 * * *', async () => {
    const drifts = await engagement.audit();
    if (drifts.length > 0)
      log.error({ drifts: drifts.slice(0, 20), count: drifts.length }, 'counters differ from rows');
  });
  jobs.schedule('chat-audit', '13 4 * * *', async (signal) => {
    const drifts = await chatRecords.audit(signal);
    if (drifts.length > 0)
      log.error({ drifts: drifts.slice(0, 20), count: drifts.length }, 'chat differs from its messages');
  });
  jobs.schedule('chat-devices-expire', '23 * * * *', async (signal) => {
    await chat.devices.expire(signal);
  });
  jobs.schedule('fences-clean', '47 3 * * *', () => cleanFences(db));
  jobs.schedule('timeline-tune', '* * * * *', (signal) => tuning.turn(signal));
  const { sweep } = timelines;
  if (sweep)
    jobs.schedule('timelines-sweep', '7 4 * * *', async (signal) => {
      await sweep(signal);
    });
  jobs.schedule('counters-clean', '17 3 * * *', () => counters.clean());
  const demo = createDemo({
    ...{ db, jobs, accounts, graph, media, videos, chat, clock, workDir },
    studio: openStudio(transcoder.binaries.ffmpeg),
    log: log.child({ part: 'demo' }),
  });
  const changes = openChangeFeed(options, caching, shared);
  changes.follow(notifications.consumer);
  changes.follow(tuning.creators);
  changes.follow(demo.consumer);
  opening.defer(() => changes.close());
  const opened = opening.move();
  return {
    ...{
      accounts,
      announcements,
      bus: shared.bus,
      nodeName,
      cache,
      chat,
      chatRecords,
      changes,
      counters,
      detail,
      evidence,
      exists,
      fences,
      engagement,
      graph,
      history,
      media,
      notifications,
      videos,
      timeline,
      tuning,
      publishing,
      traces,
      demo,
      jobs,
      store,
      transcoder,
      db,
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The features behind HTTP, and the work in the background. */
export async function composeApplication(options: ComposeOptions) {
  const { config, log, platform } = options;
  await using opening = new AsyncDisposableStack();
  const features = opening.use(await composeFeatures(options));
  const gateway = opening.use(await openGateway({ ...options, ...features }));
  const { accounts, detail, engagement, graph, history, media, videos, timeline, jobs, store } = features;
  const limits = {
    uploadMaxBytes: config.HVIDEO_UPLOAD_MAX_BYTES,
    videoMaxMs: config.HVIDEO_VIDEO_MAX_SECONDS * 1000,
  };
  const shared: SharedVideosDeps = {
    ...{ detail, log },
    publicOrigin: config.HVIDEO_PUBLIC_URL ? new URL(config.HVIDEO_PUBLIC_URL).origin : undefined,
    trustedProxies: config.HVIDEO_TRUSTED_PROXIES,
    instanceName: remembered(
      systemClock,
      nameTtlMs,
      async () => (await accounts.registration.instance()).name,
    ),
  };
  const http: Omit<Application, 'staticFiles'> = {
    traces: features.traces,
    authenticate: (token) => accounts.authentication.viewerOf(token),
    routes: [
      ...instanceRoutes(accounts, { version: VERSION, limits }),
      ...authRoutes(accounts),
      ...meRoutes(accounts),
      ...graphRoutes(graph),
      ...uploadRoutes(media.uploads),
      ...videoRoutes(videos, detail),
      ...feedRoutes(timeline),
      ...historyRoutes(history),
      ...engagementRoutes(engagement),
      ...notificationRoutes(features.notifications),
      ...chatRoutes(features.chat),
      ...operationsRoutes(() => operationsReport(features)),
    ],
    rawRoutes: {
      ...mediaRoutes({
        ...{ files: videos.files, store, log },
        onSegment: (videoId, address) => features.evidence.note(videoId, addressKey(address)),
      }),
      ...oembedRoutes(shared),
    },
    pages: videoPages(shared),
    sockets: gateway.sockets,
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
  const opened = opening.move();
  return {
    http,
    features,
    /** Under the data lock no other process can be working on the jobs that an earlier one left. */
    async startBackground(): Promise<void> {
      if ((await accounts.registration.instance()).setupRequired)
        log.info({ code: accounts.registration.setupCode }, 'set-up code, for a browser on another machine');
      if (options.work && config.profile === 'embedded') await jobs.reclaimAll();
      features.exists.start();
      if (options.work) features.counters.start();
      if (options.work) features.changes.start();
      if (options.work) {
        if (config.profile === 'embedded') await features.publishing.reclaimAll();
        features.publishing.start();
        features.tuning.start();
      }
      await jobs.start();
    },
    /** Ends what would never end by itself: event streams and uploads under way. */
    async drain(): Promise<void> {
      videos.drain();
      features.chat.sync.drain();
      await gateway.drain();
      await media.close();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function undefinedIfNotFound(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'not-found') return undefined;
  throw error;
}
