import pino from 'pino';
import { openLogicalChangeFeed } from '../packages/server/src/adapters/postgres/change-feed/logical-feed.ts';
import { openOutboxChangeFeed } from '../packages/server/src/adapters/postgres/change-feed/outbox-feed.ts';
import { ReplicationConnection } from '../packages/server/src/adapters/postgres/change-feed/replication-connection.ts';
import { acquireDataLock } from '../packages/server/src/adapters/postgres/data-lock.ts';
import { openDatabase, type PostgresDatabase } from '../packages/server/src/adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../packages/server/src/adapters/postgres/embedded-server.ts';
import { migrate } from '../packages/server/src/adapters/postgres/migrate.ts';
import { systemClock as clock } from '../packages/server/src/kernel/clock.ts';
import { systemRandom as random } from '../packages/server/src/kernel/random.ts';
import type { ChangeConsumer, ChangeFeed } from '../packages/server/src/ports/change-feed/port.ts';
import type { Benchmark } from './main.ts';
import { benchFolder } from './support/folder.ts';

const rowsPerSecond = 50_000;
const rowsPerTransaction = 100;
const seconds = 8;
const backlogRows = 500_000;
const outboxRows = 50_000;
/** What the bare socket reads, so that both read the same. */
const bareSlot = 'bench_bare';

export const benchmark: Benchmark = {
  about:
    'Row changes handled per second and their lag after the commit, in small transactions at 50,000 changes per second; then how fast a backlog is handled. Yardsticks: writing the same without a feed, and reading the same stream from the socket without decoding it.',
  async run() {
    await using folder = await benchFolder();
    const log = pino({ level: 'warn' }, pino.destination(2));
    await using lock = await acquireDataLock(folder.path);
    await using server = await startEmbeddedPostgres({ lock, log });
    await using database = openDatabase({ url: server.url, maxConnections: 4, log });
    await migrate({ database, log });
    await createTable(database);
    const writeRowsPerSecond = await writingAlone(database);
    const open = () => openLogicalChangeFeed({ url: server.url, database, clock, random, log });
    const feed = new Followed(open());
    await feed.leading();
    await database.driver`select pg_create_logical_replication_slot(${bareSlot}, 'pgoutput')`;
    const paced = await pacedRun(database, feed);
    await feed.close();
    await write(database, backlogRows, 1_000);
    const backlog = await drainBacklog(open);
    const bareRowsPerSecond = await drainBare(server.url, paced.changes + backlogRows);
    await database.driver`select pg_drop_replication_slot(${bareSlot})`;
    const outbox = new Followed(openOutboxChangeFeed({ url: server.url, database, clock, random, log }));
    await outbox.leading();
    const outboxResult = await outboxRun(database, outbox);
    await outbox.close();
    return {
      ...{ ...paced, backlogRowsPerSecond: backlog, bareRowsPerSecond, writeRowsPerSecond },
      ratioToBare: Number((backlog / bareRowsPerSecond).toFixed(2)),
      ...outboxResult,
    };
  },
};

/** A feed with one consumer that counts and notes how old each transaction is when it is handled. */
class Followed {
  rows = 0;
  readonly lagsMs: number[] = [];
  readonly #feed: ChangeFeed;

  constructor(feed: ChangeFeed) {
    this.#feed = feed;
    const consumer: ChangeConsumer = {
      name: 'bench',
      tables: [{ table: 'bench_video' }],
      handle: async ({ rows, transactions }) => {
        const nowMs = Date.now();
        this.rows += rows.length;
        for (const { committedAtMs } of transactions) this.lagsMs.push(Math.max(0, nowMs - committedAtMs));
      },
      rebuild: async () => {},
    };
    feed.follow(consumer);
    feed.start();
  }

  async leading(): Promise<void> {
    await until(() => this.#feed.status().state === 'leading', 30_000);
  }

  async reached(rows: number): Promise<void> {
    await until(() => this.rows >= rows, 120_000);
    if (this.rows !== rows) throw new Error(`${this.rows} changes instead of ${rows}`);
  }

  close(): Promise<void> {
    return this.#feed.close();
  }
}

async function pacedRun(database: PostgresDatabase, feed: Followed) {
  const startedMs = performance.now();
  const total = rowsPerSecond * seconds;
  let written = 0;
  const writer = async () => {
    while (written < total) {
      const dueMs = startedMs + (written / rowsPerSecond) * 1_000;
      written += rowsPerTransaction;
      const aheadMs = dueMs - performance.now();
      if (aheadMs > 1) await Bun.sleep(aheadMs);
      await write(database, rowsPerTransaction, rowsPerTransaction);
    }
  };
  await Promise.all([writer(), writer(), writer()]);
  const writtenMs = performance.now() - startedMs;
  await feed.reached(written);
  const handledMs = performance.now() - startedMs;
  const sorted = feed.lagsMs.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 10) / 10;
  return {
    changes: written,
    handledPerSecond: Math.round(written / (handledMs / 1_000)),
    writtenPerSecond: Math.round(written / (writtenMs / 1_000)),
    transactions: sorted.length,
    ...{ lagP50Ms: at(0.5), lagP99Ms: at(0.99), lagMaxMs: at(1) },
  };
}

/** From the moment at which the stream is asked for until the last change of the backlog is handled. */
async function drainBacklog(open: () => ChangeFeed): Promise<number> {
  const startedMs = performance.now();
  const feed = new Followed(open());
  await feed.reached(backlogRows);
  const tookMs = performance.now() - startedMs;
  await feed.close();
  return Math.round(backlogRows / (tookMs / 1_000));
}

async function drainBare(url: string, rows: number): Promise<number> {
  const connection = await ReplicationConnection.open({ url, deadAfterMs: 60_000 });
  let read = 0;
  const startedMs = performance.now();
  connection.stream(
    `START_REPLICATION SLOT ${bareSlot} LOGICAL 0/0 (proto_version '1', publication_names '"hvideo_changes"')`,
    {
      data: (buffer, at) => {
        const kind = buffer[at];
        if (kind === 73 || kind === 85 || kind === 68) read += 1;
      },
      keepAlive: () => {},
    },
  );
  await until(() => read >= rows, 120_000);
  const tookMs = performance.now() - startedMs;
  await connection.close(2_000);
  return Math.round(read / (tookMs / 1_000));
}

async function outboxRun(database: PostgresDatabase, feed: Followed) {
  const startedMs = performance.now();
  await write(database, outboxRows, rowsPerTransaction);
  const writtenMs = performance.now() - startedMs;
  await feed.reached(outboxRows);
  const handledMs = performance.now() - startedMs;
  return {
    outboxWrittenPerSecond: Math.round(outboxRows / (writtenMs / 1_000)),
    outboxHandledPerSecond: Math.round(outboxRows / (handledMs / 1_000)),
  };
}

async function writingAlone(database: PostgresDatabase): Promise<number> {
  const startedMs = performance.now();
  await write(database, 200_000, rowsPerTransaction);
  return Math.round(200_000 / ((performance.now() - startedMs) / 1_000));
}

let nextId = 0;
async function write({ sql }: PostgresDatabase, rows: number, perTransaction: number): Promise<void> {
  for (let done = 0; done < rows; done += perTransaction) {
    const first = nextId;
    nextId += perTransaction;
    await sql`
      insert into bench_video (id, author_id, title, status, duration_ms, is_public, created_at)
      select ${first}::int8 + g, g * 7, 'A clip about nothing in particular, number ' || g, 'ready', 15000, true, now()
      from generate_series(1, ${perTransaction}::int4) g`;
  }
}

async function createTable({ sql }: PostgresDatabase): Promise<void> {
  await sql`
    create table bench_video (id int8 primary key, author_id int8 not null, title text not null, status text not null,
      duration_ms int4 not null, is_public bool not null, created_at timestamptz not null, deleted_at timestamptz)`;
}

async function until(isSo: () => boolean, deadlineMs: number): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms`);
    await Bun.sleep(2);
  }
}
