import { SQL } from 'bun';
import pino from 'pino';
import { acquireDataLock } from '../packages/server/src/adapters/postgres/data-lock.ts';
import { openDatabase } from '../packages/server/src/adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../packages/server/src/adapters/postgres/embedded-server.ts';
import type { Benchmark } from './main.ts';
import { benchFolder } from './support/folder.ts';
import { measureInTurns, ratioOf } from './support/lanes.ts';

const connections = 16;
const lanes = 64;
const rows = 10_000;

export const benchmark: Benchmark = {
  about:
    'Single rows read by primary key through the Database port; the yardstick is the driver itself. Beside it, ' +
    'single-row inserts that are on disk when they are answered.',
  async run() {
    await using folder = await benchFolder();
    const log = pino({ level: 'silent' });
    await using lock = await acquireDataLock(folder.path);
    const startedAtMs = performance.now();
    await using server = await startEmbeddedPostgres({ lock, log });
    const firstStartMs = Math.round(performance.now() - startedAtMs);
    await using database = openDatabase({ url: server.url, maxConnections: connections, log });
    await using raw = new SQL(server.url, { max: connections });
    await raw`create table item (id int8 primary key, title text not null, at timestamptz not null default now())`;
    await raw`insert into item (id, title) select n, 'title ' || n from generate_series(1, ${rows}::int4) n`;
    await raw`create table entry (id int8 primary key generated always as identity, title text not null)`;
    let next = 0;
    const id = () => {
      next = (next + 7_919) % rows;
      return String(next + 1);
    };
    const reads = await measureInTurns(
      {
        port: () => database.sql`select id, title, at from item where id = ${id()}`,
        driver: () => raw`select id, title, at from item where id = ${id()}`,
      },
      { lanes, seconds: 6 },
    );
    const writes = await measureInTurns(
      {
        one: () => database.sql`insert into entry (title) values ('a title')`,
        transaction: () =>
          database.transaction(async (tx) => {
            await tx`insert into entry (title) values ('a title')`;
            await tx`update item set title = 'another' where id = ${id()}`;
          }),
      },
      { lanes, seconds: 4 },
    );
    return {
      readsPerSecond: reads.port,
      driverReadsPerSecond: reads.driver,
      ratio: ratioOf(reads.port, reads.driver),
      durableInsertsPerSecond: writes.one,
      durableTransactionsPerSecond: writes.transaction,
      firstStartMs,
      postgres: server.version,
    };
  },
};
