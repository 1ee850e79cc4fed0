import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import { join } from 'node:path';
import { openLogicalChangeFeed } from '../../src/adapters/postgres/change-feed/logical-feed.ts';
import type { WaitUntilVisible } from '../../src/adapters/postgres/change-feed/visibility.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import type { ChangeBatch, ChangeConsumer, ChangeFeed } from '../../src/ports/change-feed/port.ts';
import { testLog as log, type TestDatabase, testDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

let t: TestDatabase;
let slot: string;
let feeds: ChangeFeed[] = [];
const children: Bun.Subprocess[] = [];
beforeAll(async () => {
  t = await testDatabase();
  const { sql } = t.database;
  await sql`create table cf_item (id int8 primary key, n int4 not null, name text)`;
  await sql`create table cf_number (id bigserial primary key, n int4 not null)`;
  await sql`create table cf_sum (total int8 not null, changes int8 not null)`;
  await sql`insert into cf_sum values (0, 0)`;
});
beforeEach(() => {
  slot = `failures_${crypto.randomUUID().replaceAll('-', '')}`;
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await child.exited;
  }
  await Promise.all(feeds.map((feed) => feed.close()));
  feeds = [];
  await t.database.sql`truncate cf_item`;
  await eventually(async () => {
    const slots = await t.database.sql`select active from pg_replication_slots where slot_name = ${slot}`;
    return slots.every(({ active }) => !active);
  });
  await t.database
    .sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot}`;
});
afterAll(() => t[Symbol.asyncDispose]());

interface Opening {
  readonly waitUntilVisible?: WaitUntilVisible;
  readonly maxLagBytes?: number;
  readonly maxBufferedBytes?: number;
  readonly deadAfterMs?: number;
  readonly closeMs?: number;
  readonly rebuild?: () => Promise<void>;
}

async function follow(
  handle: (batch: ChangeBatch, signal: AbortSignal) => Promise<void>,
  { rebuild = async () => {}, ...options }: Opening = {},
) {
  const feed = openLogicalChangeFeed({
    ...{ url: t.url, database: t.database, clock, random, log, slot },
    ...{ takeOverMs: 100, sampleMs: 50, ...options },
  });
  feeds.push(feed);
  const consumer: ChangeConsumer = { name: 'test', tables: [{ table: 'cf_item' }], handle, rebuild };
  feed.follow(consumer);
  feed.start();
  await eventually(async () => feed.status().state === 'leading');
  return feed;
}

const visible = async (id: number) => (await t.database.sql`select from cf_item where id = ${id}`).length > 0;

/** While `work` runs, commits wait for a standby that does not exist: written and streamed, but not visible. */
async function withCommitsHeldBack(work: () => Promise<void>): Promise<void> {
  const { driver } = t.database;
  const reload = async (value: string) => {
    await driver.unsafe(`alter system set synchronous_standby_names = '${value}'`);
    await driver`select pg_reload_conf()`;
    await eventually(async () => {
      const [row] = await driver`show synchronous_standby_names`;
      return row.synchronous_standby_names === value;
    });
  };
  await reload('nobody');
  try {
    // The server's checkpointer is the one who must have heard: then a commit does not come back.
    await eventually(async () => {
      const probe = t.database.sql`update cf_sum set total = total`.withSignal(AbortSignal.timeout(100));
      return probe.then(
        () => false,
        () => true,
      );
    });
    await work();
  } finally {
    await reload('');
  }
}

test('without the wait a handler runs before its change is visible; with it, only afterwards', async () => {
  const seen: boolean[] = [];
  const handle = async ({ rows }: ChangeBatch) => {
    for (const { after } of rows) seen.push(await visible(Number(after?.['id'])));
  };
  const hasty = await follow(handle, { waitUntilVisible: async () => {} });
  let commit: Promise<unknown> = Promise.resolve();
  await withCommitsHeldBack(async () => {
    commit = t.database.sql`insert into cf_item (id, n) values (1, 1)`.catch((error: unknown) => error);
    await eventually(async () => seen.length === 1);
    expect(seen).toEqual([false]);
  });
  await commit;
  await hasty.close();
  const patient = await follow(handle);
  await withCommitsHeldBack(async () => {
    commit = t.database.sql`insert into cf_item (id, n) values (2, 1)`.catch((error: unknown) => error);
    // It has been read from the stream, and waits.
    await eventually(async () => patient.status().lagMs > 300);
    expect(seen).toEqual([false]);
  });
  await commit;
  await eventually(async () => seen.length === 2);
  expect(seen).toEqual([false, true]);
});

test('a process that is killed in the middle is followed by another, and every effect happens once', async () => {
  const path = join(import.meta.dir, '..', 'support', 'change-feed-process.ts');
  const spawn = () => {
    const child = Bun.spawn([process.execPath, path, t.url, slot], {
      ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
    });
    children.push(child);
    return child;
  };
  const { sql } = t.database;
  const isLed = async () => {
    const rows = await sql`select from pg_replication_slots where slot_name = ${slot} and active`;
    return rows.length > 0;
  };
  let leader = spawn();
  await eventually(isLed);
  let written = 0;
  let sum = 0;
  let isWriting = true;
  const writing = (async () => {
    for (let turn = 0; isWriting; turn++) {
      // Some of them large, so that some are killed between their parts.
      const count = turn % 50 === 49 ? 12_000 : 20;
      await sql`insert into cf_number (n) select ${turn}::int4 from generate_series(1, ${count}::int4)`;
      written += count;
      sum += count * turn;
    }
  })();
  for (let kill = 0; kill < 5; kill++) {
    const next = spawn();
    const [before] = await sql`select changes from cf_sum`;
    await eventually(async () => {
      const [row] = await sql`select changes from cf_sum`;
      return Number(row.changes) > Number(before.changes) + 2_000;
    });
    leader.kill('SIGKILL');
    await leader.exited;
    leader = next;
  }
  isWriting = false;
  await writing;
  await eventually(async () => {
    const [row] = await sql`select changes from cf_sum`;
    return Number(row.changes) >= written;
  }, 20_000);
  expect(await sql`select total, changes from cf_sum`).toEqual([
    { total: String(sum), changes: String(written) },
  ]);
});

test('one that lags too far behind is begun anew, instead of keeping the log for ever', async () => {
  let isAway = true;
  let rebuilds = 0;
  const seen: number[] = [];
  const feed = await follow(
    async ({ rows }) => {
      if (isAway) throw new Error('away');
      for (const { after } of rows) seen.push(Number(after?.['id']));
    },
    {
      maxLagBytes: 1 << 20,
      rebuild: async () => {
        rebuilds += 1;
        isAway = rebuilds === 1;
      },
    },
  );
  const { sql } = t.database;
  await sql`insert into cf_item (id, n, name) select g, g, repeat('x', 1000) from generate_series(1, 3000) g`;
  await eventually(async () => rebuilds === 2);
  await eventually(async () => feed.status().state === 'leading');
  await sql`insert into cf_item (id, n) values (9999, 1)`;
  await eventually(async () => seen.length > 0);
  expect(seen).toEqual([9999]);
  expect(feed.status()).toMatchObject({ timesRebuilt: 2, lastError: expect.stringContaining('lags by') });
});

test('memory stays bounded and the connection alive while a handler takes long', async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  let calls = 0;
  const feed = await follow(
    async ({ rows }) => {
      calls += 1;
      await gate.promise;
      for (const { after } of rows) seen.push(String(after?.['id']));
    },
    { maxBufferedBytes: 1 << 20, deadAfterMs: 1_000 },
  );
  const { sql } = t.database;
  const [{ pid } = { pid: 0 }] = await sql<{ pid: number }>`
    select active_pid as pid from pg_replication_slots where slot_name = ${slot}`;
  const before = process.memoryUsage().rss;
  for (let turn = 0; turn < 20; turn++) {
    await sql`insert into cf_item (id, n, name)
      select ${turn * 1_000}::int4 + g, g, repeat(md5(g::text), 100) from generate_series(1, 1000) g`;
  }
  // 64 MB are on their way, three times the patience of the server has passed, and it is still the same connection.
  await eventually(async () => feed.status().lagMs > 3_500);
  expect(await sql`select active_pid as pid from pg_replication_slots where slot_name = ${slot}`).toEqual([
    { pid },
  ]);
  expect(calls).toBe(1);
  expect(process.memoryUsage().rss - before).toBeLessThan(48 << 20);
  gate.resolve();
  await eventually(async () => seen.length >= 20_000, 20_000);
  expect(seen).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index + 1)));
});

test('it comes back after its connection was ended, and after the slot was taken away', async () => {
  const seen: string[] = [];
  let rebuilds = 0;
  const feed = await follow(
    async ({ rows }) => {
      for (const { after } of rows) seen.push(String(after?.['id']));
    },
    {
      rebuild: async () => {
        rebuilds += 1;
      },
    },
  );
  const { sql } = t.database;
  const end = () =>
    sql`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = ${slot}`;
  await sql`insert into cf_item (id, n) values (1, 1)`;
  await eventually(async () => seen.length === 1);
  await end();
  await sql`insert into cf_item (id, n) values (2, 1)`;
  await eventually(async () => seen.length === 2);
  expect(rebuilds).toBe(1);
  await eventually(async () => {
    await end();
    return sql`select pg_drop_replication_slot(${slot})`.then(
      () => true,
      () => false,
    );
  });
  await eventually(async () => rebuilds === 2 && feed.status().state === 'leading');
  await sql`insert into cf_item (id, n) values (3, 1)`;
  await eventually(async () => seen.length === 3);
  expect(seen).toEqual(['1', '2', '3']);
});

test('closing gives up a handler that does not end, by its signal', async () => {
  let isAborted = false;
  const feed = await follow(
    (_batch, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
          reject(signal.reason);
        });
      }),
    { closeMs: 200 },
  );
  await t.database.sql`insert into cf_item (id, n) values (1, 1)`;
  await eventually(async () => feed.status().lagMs > 0);
  await feed.close();
  expect(isAborted).toBe(true);
});

test('a slot of the same name that belongs to another database is left alone, and complained about', async () => {
  await using other = await testDatabase({ migrated: false });
  await other.database.sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`;
  const feed = openLogicalChangeFeed({ url: t.url, database: t.database, clock, random, log, slot });
  feeds.push(feed);
  feed.start();
  await eventually(async () => feed.status().lastError?.includes('choose another name'));
  const slots = await t.database.sql`select database from pg_replication_slots where slot_name = ${slot}`;
  expect(slots).toEqual([{ database: new URL(other.url).pathname.slice(1) }]);
  await feed.close();
});
