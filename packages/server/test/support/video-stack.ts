import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '@hvideo/protocol';
import { AnnouncedFences } from '../../src/adapters/announced/fences.ts';
import { openDiskMediaStore } from '../../src/adapters/disk/media-store.ts';
import { MemoryAnnouncements, MemoryLog } from '../../src/adapters/memory/announcements.ts';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { MemoryCacheStore } from '../../src/adapters/memory/cache-store.ts';
import { MemoryCounterStore } from '../../src/adapters/memory/counter-store.ts';
import { MemoryTimelineStore } from '../../src/adapters/memory/timeline-store.ts';
import { openJobQueue, type PostgresJobQueue } from '../../src/adapters/postgres/job-queue.ts';
import { leaseNode } from '../../src/adapters/postgres/node-lease.ts';
import { Cache } from '../../src/cache/index.ts';
import { createCounters } from '../../src/features/counters/index.ts';
import { createDetail } from '../../src/features/detail/index.ts';
import { CountTexts, createCardState, createEngagement } from '../../src/features/engagement/index.ts';
import { createMedia, type UploadSettings } from '../../src/features/media/index.ts';
import {
  createOutboxes,
  createPublishing,
  createTimeline,
  createTuning,
} from '../../src/features/timeline/index.ts';
import {
  createVideos,
  defineVideoPages,
  followVisibility,
  loadFences,
  type People,
  readFences,
} from '../../src/features/videos/index.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { createCursorCodec } from '../../src/kernel/cursor.ts';
import type { MacKey } from '../../src/kernel/mac.ts';
import { Metrics } from '../../src/kernel/metrics.ts';
import { randomToken, systemRandom } from '../../src/kernel/random.ts';
import type { Announcements } from '../../src/ports/announcements/port.ts';
import type { Bus } from '../../src/ports/bus/port.ts';
import type { CacheStore } from '../../src/ports/cache-store/port.ts';
import type { Database } from '../../src/ports/database/port.ts';
import type { MediaStore } from '../../src/ports/media-store/port.ts';
import type { TellOwnChanges } from '../../src/ports/own-changes/port.ts';
import type { TimelineStore } from '../../src/ports/timeline-store/port.ts';
import type { Transcoder } from '../../src/ports/transcoder/port.ts';
import { feedRoutes } from '../../src/transport/http/routes/feed.ts';
import { mediaRoutes } from '../../src/transport/http/routes/media.ts';
import { uploadRoutes } from '../../src/transport/http/routes/uploads.ts';
import { videoRoutes } from '../../src/transport/http/routes/videos.ts';
import { HttpServer } from '../../src/transport/http/server.ts';
import { Traces } from '../../src/transport/http/traces.ts';
import { testDatabase, testLog } from './database.ts';
import { eventually } from './eventually.ts';
import { FakeTranscoder } from './fake-transcoder.ts';
import { Graph } from './graph.ts';

export interface VideoStackOptions {
  readonly transcoder?: Transcoder;
  readonly uploads?: Partial<UploadSettings>;
  readonly keepOriginals?: boolean;
  /** Stands before the database of every feature, to count or to fail. */
  readonly wrap?: (db: Database) => Database;
  readonly timelineStore?: TimelineStore;
  /** Of hot outboxes in the process. */
  readonly maxOutboxEntries?: number;
  /** False: jobs wait for `jobs.start()`. */
  readonly work?: boolean;
  /** What the nodes of one cluster have in common; each node by itself if there is none. */
  readonly shared?: SharedParts;
  /** Stands before this node's announcements. */
  readonly wrapAnnouncements?: (announcements: Announcements) => Announcements;
}

/** What each node has of it. */
export interface NodeShare {
  readonly announcements: Announcements;
  readonly bus: Bus;
  readonly cacheStore: CacheStore;
}

export interface SharedParts {
  readonly cursorKeys: readonly MacKey[];
  join(leaving: AsyncDisposableStack): Promise<NodeShare>;
  loseAnnouncements(): Promise<void>;
}

export const newCursorKeys = (): readonly MacKey[] => [...key(), ...key()];

/** In this process. */
export function sharedParts(): SharedParts {
  const log = new MemoryLog();
  const bus = new MemoryBus();
  const cacheStore = new MemoryCacheStore(systemClock, { maxBytes: 1 << 24 });
  return {
    cursorKeys: newCursorKeys(),
    join: async () => ({ announcements: new MemoryAnnouncements(log), bus, cacheStore }),
    loseAnnouncements: async () => log.lose(),
  };
}

/** The system's clock, which a test can set forward. */
export class TestClock implements Clock {
  aheadMs = 0;
  nowMs = () => systemClock.nowMs() + this.aheadMs;
  monotonicMs = () => systemClock.monotonicMs() + this.aheadMs;
  sleep: Clock['sleep'] = (ms, options) => systemClock.sleep(ms, options);
  after: Clock['after'] = (ms, run) => systemClock.after(ms, run);
  every: Clock['every'] = (ms, run) => systemClock.every(ms, run);
}

export type VideoStack = Awaited<ReturnType<typeof videoStack>>;

const key = () => [{ kid: 'test', secret: randomToken(systemRandom) }];

/** Uploads, videos, media and timeline behind a real HTTP server, over a real database. A token is an account's id. */
export async function videoStack(options: VideoStackOptions = {}) {
  await using opening = new AsyncDisposableStack();
  const test = opening.use(await testDatabase());
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-stack-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const parts = opening.use(await openParts(test.database, folder, options));
  const opened = opening.move();
  return Object.assign(parts, {
    databaseUrl: test.url,
    folder,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  });
}

/** The same over a database and a folder that are there already, as another process finds them. */
export async function openParts(
  database: Parameters<typeof openJobQueue>[0]['database'],
  folder: string,
  options: VideoStackOptions,
) {
  await using opening = new AsyncDisposableStack();
  const clock = new TestClock();
  const shared = options.shared ?? sharedParts();
  const own = await shared.join(opening);
  const db = options.wrap?.(database) ?? database;
  const workDir = join(folder, 'work');
  await mkdir(workDir, { recursive: true });
  const lease = opening.use(
    await leaseNode({ database, log: testLog, clock: systemClock, random: systemRandom }),
  );
  const { ids } = lease;
  const store = await openDiskMediaStore({ root: join(folder, 'media') });
  const fake = new FakeTranscoder();
  const transcoder = options.transcoder ?? fake;
  const jobs: PostgresJobQueue = opening.use(openJobQueue({ database, log: testLog }));
  const cursors = createCursorCodec(shared.cursorKeys);
  const linkKeys = key();
  const media = createMedia({
    ...{ db, store, transcoder, jobs, ids, clock, linkKeys },
    ...(options.uploads && { settings: options.uploads }),
  });
  const counters = createCounters({
    ...{ db, ids, clock: systemClock, random: systemRandom, log: testLog },
    store: new MemoryCounterStore(systemClock),
  });
  opening.defer(() => counters.close());
  const cardState = createCardState(db, counters, systemClock);
  const announcements = options.wrapAnnouncements?.(own.announcements) ?? own.announcements;
  const fences = new AnnouncedFences({
    ...{ announcements, clock, log: testLog },
    load: () => loadFences(db),
    read: (names) => readFences(db, names),
  });
  const cache = opening.use(
    await Cache.open({
      ...{ clock: systemClock, random: systemRandom, bus: own.bus, log: testLog },
      store: own.cacheStore,
    }),
  );
  const tell: TellOwnChanges = async (changes) => {
    await cache.apply(changes);
  };
  const graph = new Graph(db, ids, announcements, tell);
  const people: People = graph;
  const outboxes = createOutboxes({ db, announcements, clock });
  const videos = createVideos({
    ...{ db, jobs, store, transcoder, ids, clock, log: testLog, cursors, people, media },
    ...{ fences, announcements, tell, reactions: cardState, outbox: outboxes },
    settings: { workDir, keepOriginals: options.keepOriginals ?? true, transcodeConcurrency: 1 },
  });
  const engagement = createEngagement({
    ...{ db, ids, clock, cursors, counters, people, tell, fences, outbox: outboxes },
    videos: videos.reads,
  });
  const pages = defineVideoPages({ db, cache });
  followVisibility(announcements, cache);
  const detail = createDetail({
    ...{ db, cache, pages, fences, cardState, clock, log: testLog },
    ...{ comments: engagement.comments, presenter: videos.presenter },
  });
  const timelineStore =
    options.timelineStore ?? new MemoryTimelineStore({ clock: systemClock, random: systemRandom });
  const timelineDeps = {
    ...{ db, clock, ids, announcements, counters, outboxes, store: timelineStore, log: testLog },
  };
  const tuning = createTuning(timelineDeps);
  const publishing = createPublishing(timelineDeps);
  const timeline = createTimeline({
    ...timelineDeps,
    ...{ cursors, cache, fences, pages, cardState, tell, tuning },
    ...{ videos: videos.reads, presenter: videos.presenter },
    countTexts: new CountTexts({ cardState, counters, clock, isAlone: false }),
    ...(options.maxOutboxEntries !== undefined && { maxOutboxEntries: options.maxOutboxEntries }),
  });
  opening.defer(() => publishing.stop());
  opening.defer(() => tuning.stop());
  opening.use(timeline.reading);
  const roles = new Map<string, Role>();
  const http = new HttpServer({
    ...{ hostname: '127.0.0.1', port: 0, version: 'test', log: testLog, clock, metrics: new Metrics() },
    ...{ maxBodyBytes: 2 ** 33, publicOrigin: undefined, trustedProxies: 0, rateLimits: false },
  });
  opening.defer(() => http.drain(1000));
  opening.defer(() => media.close());
  opening.defer(() => videos.drain());
  http.open({
    authenticate: async (token) => ({ accountId: token, role: roles.get(token) ?? 'user', sessionId: '1' }),
    routes: [...uploadRoutes(media.uploads), ...videoRoutes(videos, detail), ...feedRoutes(timeline)],
    rawRoutes: mediaRoutes({ files: videos.files, store, log: testLog, onSegment: () => {} }),
    staticFiles: undefined,
    traces: await Traces.open(new MemoryBus(), testLog),
    notReady: async () => [],
  });
  if (options.work !== false) await jobs.start();
  const opened = opening.move();
  return {
    ...{
      announcements,
      db,
      store,
      ids,
      clock,
      media,
      videos,
      engagement,
      timeline,
      graph,
      roles,
      fake,
      jobs,
      workDir,
      cursors,
      outboxes,
      tuning,
    },
    url: http.url,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind.
  readonly body: any;
}

/** One request as this account; JSON in and out. */
export async function call(
  stack: { url: string },
  accountId: string | undefined,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(stack.url + path, {
    method,
    headers: {
      ...(accountId !== undefined && { authorization: `Bearer ${accountId}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}

export const tusHeaders = { 'tus-resumable': '1.0.0' };

/** Uploads in one request; answers the upload's id. */
export async function upload(stack: { url: string }, accountId: string, bytes: Uint8Array): Promise<string> {
  const response = await fetch(`${stack.url}/api/v1/uploads`, {
    method: 'POST',
    headers: {
      ...tusHeaders,
      authorization: `Bearer ${accountId}`,
      'upload-length': String(bytes.byteLength),
      'content-type': 'application/offset+octet-stream',
    },
    body: bytes,
  });
  if (response.status !== 201) throw new Error(`upload: ${response.status} ${await response.text()}`);
  return (response.headers.get('location') ?? '').split('/').at(-1) ?? '';
}

let clips = 0;

/** Uploads a clip that the fake transcoder takes, and publishes it. */
export async function publish(
  stack: { url: string },
  accountId: string,
  fields: Record<string, unknown> = {},
): Promise<Answer> {
  const uploadId = await upload(stack, accountId, Buffer.from(`clip ${clips++}`));
  return call(stack, accountId, 'POST', '/api/v1/videos', { uploadId, title: 'A clip', ...fields });
}

/** Waits until the owner sees the video in this state. */
export async function untilStatus(
  stack: { url: string },
  accountId: string,
  videoId: string,
  status: string,
  deadlineMs = 15_000,
): Promise<Answer> {
  return eventually(async () => {
    const answer = await call(stack, accountId, 'GET', `/api/v1/videos/${videoId}`);
    return answer.body?.video?.status === status ? answer : undefined;
  }, deadlineMs);
}

/** Every object of the store. */
export async function storedKeys(store: MediaStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys.sort();
}
