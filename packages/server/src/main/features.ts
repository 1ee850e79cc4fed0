import { mkdir } from 'node:fs/promises';
import { openDiskMediaStore } from '../adapters/disk/media-store.ts';
import { LogCodeSender } from '../adapters/memory/log-code-sender.ts';
import { PostgresConversationStore } from '../adapters/postgres/chat/conversation-store.ts';
import { PostgresDeviceStore } from '../adapters/postgres/chat/device-store.ts';
import { PostgresMessageStore } from '../adapters/postgres/chat/message-store.ts';
import { openJobQueue } from '../adapters/postgres/job-queue.ts';
import { leaseNode } from '../adapters/postgres/node-lease.ts';
import type { Config, Role } from '../config/config.ts';
import type { Secrets } from '../config/secrets.ts';
import { createDemo, openStudio } from '../demo/index.ts';
import { createAccounts } from '../features/accounts/index.ts';
import { createChat, createChatRecords, deletesMessages } from '../features/chat/index.ts';
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
  shareCosts,
} from '../features/timeline/index.ts';
import {
  createVideos,
  defineVideoPages,
  followVisibility,
  type People,
  SharedProgress,
} from '../features/videos/index.ts';
import { systemClock } from '../kernel/clock.ts';
import { createCursorCodec } from '../kernel/cursor.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { Metrics } from '../kernel/metrics.ts';
import { randomToken, systemRandom } from '../kernel/random.ts';
import { Traces } from '../transport/http/traces.ts';
import { openCache, openChangeFeed, openShared } from './derived.ts';
import { type OwnTimelines, openCounterStore, openTimelineStore } from './own-stores.ts';
import { mediaFolder, type Platform, workFolder } from './platform.ts';
import { openTranscoder } from './transcoder.ts';

const dayMs = 86_400_000;

export interface ComposeOptions {
  readonly metrics?: Metrics;
  readonly config: Config;
  readonly log: Logger;
  readonly platform: Platform;
  readonly secrets: Secrets;
  /** An empty instance is to be filled with demo content. */
  readonly demo: boolean;
  /** What this process does; a command that only writes leaves everything to the server. */
  readonly roles: readonly Role[];
}

export type Features = Awaited<ReturnType<typeof composeFeatures>>;

/** Chooses the adapters and builds every feature on them. */
export async function composeFeatures(options: ComposeOptions) {
  const { config, log, platform, roles, secrets } = options;
  const work = roles.includes('worker');
  const { database: db } = platform;
  await using opening = new AsyncDisposableStack();
  const clock = systemClock;
  const random = systemRandom;
  const workDir = workFolder(config);
  await mkdir(workDir, { recursive: true });
  const [lease, store, { transcoder, ffmpeg }] = await Promise.all([
    leaseNode({ database: db, log, clock, random }),
    openDiskMediaStore({ root: mediaFolder(config), clock, random }),
    openTranscoder(config, roles),
  ]);
  opening.use(lease);
  const { ids } = lease;
  const shared = await openShared(options, opening);
  const traces = opening.use(await Traces.open(shared.bus, log.child({ part: 'traces' })));
  const { announcements, fences } = shared;
  const counters = createCounters({
    ...{ db, ids, clock, random },
    store: shared.counterStore ?? (await openCounterStore({ ...options, work }, opening)),
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
    : await openTimelineStore({ ...options, work }, opening);
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
  const nodeName = randomToken(random, 12);
  const progress = opening.use(await SharedProgress.open({ clock, log, bus: shared.bus, nodeName }));
  const videos = createVideos({
    ...{ db, jobs, store, transcoder, ids, clock, log, cursors, people, media },
    ...{ fences, announcements, tell, reactions: cardState, outbox: outboxes, progress },
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
  opening.use(await shareCosts(tuning.costs, { clock, log, bus: shared.bus, nodeName }));
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
    conversations: new PostgresConversationStore(db, { deleteMessages: deletesMessages(jobs) }),
    devices: new PostgresDeviceStore(db),
  };
  const chat = opening.use(
    await createChat({
      ...{ ...chatStores, clock, random, ids, cursors, nodeName, bus: shared.bus },
      address: roles.includes('gateway') ? config.HVIDEO_NODE_URL : undefined,
      ownsConversations: roles.includes('chat'),
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
  const demo = createDemo({
    ...{ db, jobs, accounts, graph, media, videos, chat, clock, workDir },
    studio: openStudio(ffmpeg),
    log: log.child({ part: 'demo' }),
  });
  const changes = openChangeFeed(options, caching, shared);
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
      timelines,
      tuning,
      publishing,
      traces,
      demo,
      jobs,
      store,
      db,
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function undefinedIfNotFound(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'not-found') return undefined;
  throw error;
}
