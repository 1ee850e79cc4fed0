import { join } from 'node:path';
import pino from 'pino';
import { acquireDataLock } from '../packages/server/src/adapters/postgres/data-lock.ts';
import { openDatabase, type PostgresDatabase } from '../packages/server/src/adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../packages/server/src/adapters/postgres/embedded-server.ts';
import { migrate } from '../packages/server/src/adapters/postgres/migrate.ts';
import type { Benchmark } from './main.ts';
import { benchFolder } from './support/folder.ts';

const increments = 1_000_000;
const plainSeconds = 3;
const plainConnections = 8;

export const benchmark: Benchmark = {
  about:
    'Acknowledged increments per second over a Zipf of 100,000 counters, with kill -9 in the middle; the yardstick is one update of a row by each increment.',
  async run() {
    await using folder = await benchFolder();
    const log = pino({ level: 'silent' });
    await using lock = await acquireDataLock(folder.path);
    await using server = await startEmbeddedPostgres({ lock, log });
    await using database = openDatabase({ url: server.url, maxConnections: plainConnections, log });
    await migrate({ database, log });
    const { sql } = database;
    const run = (source: number, wanted: number, killAt?: number) =>
      runWorker([server.url, join(folder.path, `store-${source}`), String(source), String(wanted)], killAt);
    const killed = await run(1, increments, increments / 2);
    const finished = await run(2, increments - killed.acknowledged);
    const acknowledged = killed.acknowledged + finished.acknowledged;
    const [row] = await sql<{ counted: string; left: string; packed: string }>`
      select (select sum(total) from counter)::text as counted, (select count(*) from counter_batch)::text as left,
        (select sum(seq) from counter_source)::text as packed`;
    const counted = Number(row?.counted);
    const seconds = killed.seconds + finished.seconds;
    const perSecond = Math.round(acknowledged / seconds);
    const plainPerSecond = await plainUpdates(database);
    return {
      acknowledgedPerSecond: perSecond,
      plainUpdatesPerSecond: plainPerSecond,
      ratio: Math.round(perSecond / plainPerSecond),
      ...{ acknowledged, counted },
      // Those that were on disk when the process was killed, before it could say so.
      unacknowledged: counted - acknowledged,
      lost: Math.max(0, acknowledged - counted),
      batchesLeft: Number(row?.left),
      incrementsPerRow: Math.round(counted / Number(row?.packed)),
    };
  },
};

/** Seconds are counted from the first acknowledgement to the last. */
async function runWorker(
  args: readonly string[],
  killAt = Number.POSITIVE_INFINITY,
): Promise<{ acknowledged: number; seconds: number }> {
  const path = join(import.meta.dir, 'support', 'counters-worker.ts');
  const child = Bun.spawn([process.execPath, path, ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const decoder = new TextDecoder();
  let [rest, acknowledged, startedAtMs, endedAtMs] = ['', 0, 0, 0];
  for await (const chunk of child.stdout) {
    const lines = (rest + decoder.decode(chunk)).split('\n');
    rest = lines.pop() ?? '';
    const last = Number(lines.at(-1) ?? acknowledged);
    startedAtMs ||= performance.now();
    if (last > acknowledged) endedAtMs = performance.now();
    acknowledged = last;
    if (acknowledged >= killAt) child.kill('SIGKILL');
  }
  const exitCode = await child.exited;
  if (exitCode !== 0 && child.signalCode !== 'SIGKILL') throw new Error(`the worker ended with ${exitCode}`);
  return { acknowledged, seconds: (endedAtMs - startedAtMs) / 1000 };
}

async function plainUpdates({ sql }: PostgresDatabase): Promise<number> {
  const endMs = performance.now() + plainSeconds * 1000;
  let updates = 0;
  const loop = async () => {
    while (performance.now() < endMs) {
      await sql`update counter set total = total + 1 where id = ${1 + Math.floor(Math.random() * 100)} and metric = 7`;
      updates += 1;
    }
  };
  await Promise.all(Array.from({ length: plainConnections }, loop));
  return Math.round(updates / plainSeconds);
}
