import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pino from 'pino';
import { openDiskMediaStore } from '../../src/adapters/disk/media-store.ts';
import { MemoryAnnouncements } from '../../src/adapters/memory/announcements.ts';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { MemoryCounterStore } from '../../src/adapters/memory/counter-store.ts';
import { openJobQueue } from '../../src/adapters/postgres/job-queue.ts';
import { leaseNode } from '../../src/adapters/postgres/node-lease.ts';
import {
  type AccountDeps,
  type AccountKeys,
  type AccountSettings,
  createAccounts,
} from '../../src/features/accounts/index.ts';
import { createCounters } from '../../src/features/counters/index.ts';
import { createGraph } from '../../src/features/graph/index.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { createCursorCodec } from '../../src/kernel/cursor.ts';
import { Metrics } from '../../src/kernel/metrics.ts';
import { randomToken, systemRandom } from '../../src/kernel/random.ts';
import type { CodeSender } from '../../src/ports/code-sender/port.ts';
import type { JobQueue } from '../../src/ports/job-queue/port.ts';
import type { Transcoder } from '../../src/ports/transcoder/port.ts';
import { authRoutes, instanceRoutes, meRoutes } from '../../src/transport/http/routes/accounts.ts';
import { graphRoutes } from '../../src/transport/http/routes/graph.ts';
import { HttpServer } from '../../src/transport/http/server.ts';
import { Traces } from '../../src/transport/http/traces.ts';
import { testDatabase } from './database.ts';
import { FakeTranscoder } from './fake-transcoder.ts';
import { TestClock } from './video-stack.ts';

export interface AccountsStackOptions {
  readonly settings?: Partial<AccountSettings>;
  readonly transcoder?: Transcoder;
  /** The limits on requests by class; off unless a test is about them. */
  readonly rateLimits?: boolean;
  /** So many proxies in front: lets a test choose its address with X-Forwarded-For. */
  readonly trustedProxies?: number;
}

export type AccountsStack = Awaited<ReturnType<typeof accountsStack>>;

/** Keeps what it is given, as a phone would. */
export class Phones implements CodeSender {
  readonly sent: Parameters<CodeSender['send']>[0][] = [];
  failing = false;

  async send(message: Parameters<CodeSender['send']>[0]): Promise<void> {
    if (this.failing) throw new Error('the provider is down');
    this.sent.push(message);
  }

  /** The newest code for the number. */
  codeFor(phone: string): string {
    const code = this.sent.findLast((message) => message.phone === phone)?.code;
    if (code === undefined) throw new Error(`no code was sent to ${phone}`);
    return code;
  }
}

/** Some other code. */
export const wrongCode = (code: string, by = 1) => String((Number(code) + by) % 1_000_000).padStart(6, '0');

const macKey = () => [{ kid: 'test', secret: randomToken(systemRandom) }];

function jwtKey(): AccountKeys['jwt'][number] {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { kid: 'test', privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** Accounts and graph behind a real HTTP server, over a real database, with a clock that a test can set forward. */
export async function accountsStack(options: AccountsStackOptions = {}) {
  await using opening = new AsyncDisposableStack();
  const test = opening.use(await testDatabase());
  const db = test.database;
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-accounts-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const clock = new TestClock();
  const random = systemRandom;
  const logged: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  });
  const log = pino({ level: 'trace' }, sink);
  const { ids } = opening.use(await leaseNode({ database: db, log, clock: systemClock, random }));
  const media = await openDiskMediaStore({ root: join(folder, 'media') });
  const jobs = opening.use(openJobQueue({ database: db, log }));
  const cursors = createCursorCodec(macKey());
  const store = new MemoryCounterStore(systemClock);
  const counters = createCounters({ db, store, ids, clock: systemClock, random, log });
  opening.defer(() => counters.close());
  const announcements = new MemoryAnnouncements();
  const phones = new Phones();
  const keys = { jwt: [jwtKey()], refreshToken: macKey() };
  const settings: AccountSettings = {
    ...{ registration: 'open', accessTokenTtlMs: 600_000, sessionIdleMs: 60 * 86_400_000 },
    ...{ instanceName: 'Test', demo: true, temporaryDir: folder },
    ...options.settings,
  };
  const transcoder = options.transcoder ?? new FakeTranscoder();
  // Nothing is cached here.
  const tell = async () => {};
  const shared = {
    db,
    ids,
    clock,
    random,
    codeSender: phones,
    media,
    transcoder,
    jobs,
    cursors,
    counters,
    tell,
    keys,
    log,
  };
  const accounts = await createAccounts({ ...shared, settings });
  const graph = createGraph({ db, ids, clock, cursors, accounts, announcements, counters, tell, log });
  accounts.departure.accountParts.push(graph.accountPart);
  const http = new HttpServer({
    ...{ hostname: '127.0.0.1', port: 0, version: 'test', log, clock, metrics: new Metrics() },
    ...{ maxBodyBytes: 2 ** 24, publicOrigin: undefined, rateLimits: options.rateLimits ?? false },
    trustedProxies: options.trustedProxies ?? 0,
  });
  opening.defer(() => http.drain(1000));
  http.open({
    authenticate: (token) => accounts.authentication.viewerOf(token),
    routes: [
      ...instanceRoutes(accounts, { version: 'test', limits: { uploadMaxBytes: 1, videoMaxMs: 1 } }),
      ...authRoutes(accounts),
      ...meRoutes(accounts),
      ...graphRoutes(graph),
    ],
    rawRoutes: {},
    staticFiles: undefined,
    traces: await Traces.open(new MemoryBus(), log),
    notReady: async () => [],
  });
  await jobs.start();
  const opened = opening.move();
  return {
    ...{
      announcements,
      db,
      ids,
      clock,
      media,
      jobs,
      phones,
      accounts,
      counters,
      graph,
      logged,
      folder,
      url: http.url,
    },
    /** Another node on the same database, or one with other settings. */
    again: (changed: Partial<AccountSettings> = {}, over: Partial<AccountDeps> = {}) =>
      createAccounts({
        ...shared,
        jobs: onlyEnqueueing(jobs),
        settings: { ...settings, ...changed },
        ...over,
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Handlers are registered once for each queue. */
const onlyEnqueueing = (jobs: JobQueue): JobQueue => ({
  enqueue: (tx, kind, payload, options) => jobs.enqueue(tx, kind, payload, options),
  handle: () => undefined,
  schedule: () => undefined,
});
