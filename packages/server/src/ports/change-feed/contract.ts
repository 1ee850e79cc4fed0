import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import type { Database } from '../database/port.ts';
import { effectOnce } from './effect-once.ts';
import {
  type ChangeBatch,
  type ChangeConsumer,
  type ChangeFeed,
  type FollowedTable,
  MAX_BATCH_ROWS,
  type RowChange,
} from './port.ts';

export interface ChangeFeedFactory {
  readonly database: Database;
  /** One more process on the same feed, not started. */
  open(): ChangeFeed;
  /** Makes the feed lose what it has not delivered; called while none runs. */
  lose(): Promise<void>;
  close(): Promise<void>;
}

/** Every adapter of ChangeFeed passes this, with its production settings. */
export function changeFeedContract(name: string, factory: () => Promise<ChangeFeedFactory>): void {
  describe(`ChangeFeed contract: ${name}`, () => {
    let made: ChangeFeedFactory;
    let db: Database;
    let opened: ChangeFeed[] = [];
    let next = 0;
    beforeAll(async () => {
      made = await factory();
      db = made.database;
      await createTables(db);
    });
    afterEach(async () => {
      await Promise.all(opened.map((feed) => feed.close()));
      opened = [];
    });
    afterAll(() => made.close());

    const newId = () => String(++next * 1_000_000);
    const { sql } = { sql: (...args: Parameters<Database['sql']>) => db.sql(...args) };
    const open = (...consumers: ChangeConsumer[]) => {
      const feed = made.open();
      opened.push(feed);
      for (const consumer of consumers) feed.follow(consumer);
      feed.start();
      return feed;
    };
    const close = async (feed: ChangeFeed) => {
      opened = opened.filter((other) => other !== feed);
      await feed.close();
    };
    const leading = (feed: ChangeFeed) =>
      until(
        () => feed.status().state === 'leading',
        () => feed.status(),
      );
    /** Leading, and with everything handled that earlier tests left. */
    const start = async (...consumers: ChangeConsumer[]) => {
      const feed = open(...consumers);
      await leading(feed);
      return feed;
    };

    test('a change is told with its table, its operation and its rows', async () => {
      const sink = collector([{ table: 'cf_item' }]);
      await start(sink);
      const id = newId();
      await sql`insert into cf_item (id, n, name) values (${id}, 1, 'a')`;
      await sql`update cf_item set n = 2, name = null where id = ${id}`;
      await sql`delete from cf_item where id = ${id}`;
      const rows = await sink.until((row) => keyOf(row) === id, 3);
      expect(rows.map(({ table, operation }) => `${table} ${operation}`)).toEqual([
        'cf_item insert',
        'cf_item update',
        'cf_item delete',
      ]);
      expect(rows[0]).toMatchObject({ before: undefined, after: { id, n: 1, name: 'a' } });
      expect(rows[1]).toMatchObject({ before: { id }, after: { id, n: 2, name: null } });
      expect(rows[2]).toMatchObject({ before: { id }, after: undefined });
    });

    test('a changed primary key is told as it was and as it is', async () => {
      const sink = collector([{ table: 'cf_item' }]);
      await start(sink);
      const [id, later] = [newId(), newId()];
      await sql`insert into cf_item (id, n) values (${id}, 1)`;
      await sql`update cf_item set id = ${later} where id = ${id}`;
      const [, update] = await sink.until((row) => [id, later].includes(keyOf(row)), 2);
      expect(update).toMatchObject({ before: { id }, after: { id: later, n: 1 } });
    });

    test('columns outside of the primary key are told as they were, where they are asked for', async () => {
      const sink = collector([{ table: 'cf_whole', before: ['owner'] }]);
      await start(sink);
      const id = newId();
      await sql`insert into cf_whole (id, owner, body) values (${id}, 'first', 'x')`;
      await sql`update cf_whole set owner = 'second' where id = ${id}`;
      await sql`delete from cf_whole where id = ${id}`;
      const [, update, removal] = await sink.until((row) => keyOf(row) === id, 3);
      expect(update).toMatchObject({ before: { owner: 'first' }, after: { owner: 'second' } });
      expect(removal).toMatchObject({ before: { owner: 'second' } });
    });

    test('a large value that did not change is there, or is missing where no old rows are asked for', async () => {
      const sink = collector([{ table: 'cf_whole', before: ['owner'] }, { table: 'cf_item' }]);
      await start(sink);
      const id = newId();
      // Random, so that it is not compressed into the row.
      const [{ large = '' } = {}] = await db.sql<{ large: string }>`
        select string_agg(md5(random()::text), '') as large from generate_series(1, 1000)`;
      await sql`insert into cf_whole (id, owner, body) values (${id}, 'one', ${large})`;
      await sql`update cf_whole set owner = 'two' where id = ${id}`;
      await sql`insert into cf_item (id, n, name) values (${id}, 1, ${large})`;
      await sql`update cf_item set n = 2 where id = ${id}`;
      const rows = await sink.until((row) => keyOf(row) === id, 4);
      expect(rows[1]?.after).toEqual({ id, owner: 'two', body: large });
      const item = rows[3]?.after ?? {};
      expect(item).toMatchObject({ id, n: 2 });
      expect('name' in item ? item['name'] : large).toBe(large);
      expect(item['name']).not.toBeNull();
    });

    test('a truncate is told for its table', async () => {
      const sink = collector([{ table: 'cf_other' }]);
      await start(sink);
      await sql`insert into cf_other (id) values (1)`;
      await sql`truncate cf_other`;
      const [, truncate] = await sink.until(() => true, 2);
      expect(truncate).toMatchObject({ table: 'cf_other', operation: 'truncate' });
      expect([truncate?.before, truncate?.after]).toEqual([undefined, undefined]);
    });

    test('values have the types that the database port gives them', async () => {
      const sink = collector([{ table: 'cf_types' }]);
      await start(sink);
      await sql`insert into cf_types (id, i2, i4, i8, num, f8, nan, flag, at, day, doc, docs, raw, uid, texts, ids, empty)
        values (1, 2, 3, 9007199254740993, 1.50, 0.1, 'NaN', true, '2026-01-02T03:04:05.678901Z', '2026-01-02',
          '{"a": [1, "x,y"], "b": null}', '{"n": 12345678901}', '\\x00ff10', 'acfedbe6-05ab-49dc-be0b-52e0323aab3c',
          array['a', 'b "c", {d}', null, ''], array[9007199254740993, 2]::int8[], '{}')`;
      const [insert] = await sink.until(() => true, 1);
      const [stored] = await db.sql`select * from cf_types`;
      expect(insert?.after).toEqual({ ...stored, ids: [...stored.ids], nothing: null });
      expect(stored.i8).toBe('9007199254740993');
      await sql`delete from cf_types`;
    });

    test('transactions stay whole and in order, and what is rolled back is not seen', async () => {
      const sink = collector([{ table: 'cf_item' }, { table: 'cf_whole' }]);
      await start(sink);
      const id = newId();
      for (let turn = 1; turn <= 3; turn++) {
        await db.transaction(async (tx) => {
          await tx`insert into cf_item (id, n) values (${String(Number(id) + turn)}, ${turn})`;
          await tx`insert into cf_whole (id, owner) values (${String(Number(id) + turn)}, ${String(turn)})`;
          await tx`update cf_item set n = -n where id = ${String(Number(id) + turn)}`;
        });
        await db
          .transaction(async (tx) => {
            await tx`insert into cf_item (id, n) values (${String(Number(id) + 100 + turn)}, 0)`;
            throw new Error('rolled back');
          })
          .catch(() => undefined);
      }
      await sink.until((row) => Number(keyOf(row)) > Number(id), 9);
      const seen = sink.batches
        .flatMap(({ transactions }) => transactions)
        .map(({ rows }) => rows.map((row) => `${row.operation} ${row.table} ${row.after?.['n'] ?? ''}`));
      expect(seen).toEqual(
        [1, 2, 3].map((turn) => [`insert cf_item ${turn}`, 'insert cf_whole ', `update cf_item ${-turn}`]),
      );
    });

    test('writers that wait for each other are told in the order of their commits', async () => {
      const sink = collector([{ table: 'cf_item' }]);
      await start(sink);
      const id = newId();
      await sql`insert into cf_item (id, n) values (${id}, 0)`;
      // The first has its transaction id long before the others, writes the row after them and commits last.
      const gate = Promise.withResolvers<void>();
      const isOpen = Promise.withResolvers<void>();
      const late = db.transaction(async (tx) => {
        await tx`insert into cf_item (id, n) values (${newId()}, -1)`;
        isOpen.resolve();
        await gate.promise;
        await tx`update cf_item set n = n + 1000 where id = ${id}`;
      });
      await isOpen.promise;
      await Promise.all(
        Array.from({ length: 40 }, () => sql`update cf_item set n = n + 1 where id = ${id}`.catch(fail)),
      );
      gate.resolve();
      await late;
      const rows = await sink.until((row) => keyOf(row) === id, 42);
      expect(rows.map(({ after }) => after?.['n'])).toEqual([
        ...Array.from({ length: 41 }, (_, n) => n),
        1040,
      ]);
    });

    test('a change is visible to every session when it is handled', async () => {
      const ids: string[] = [];
      const unseen: string[] = [];
      const sink = collector([{ table: 'cf_item' }], async ({ rows }) => {
        for (const row of rows) {
          const found = await db.sql`select from cf_item where id = ${keyOf(row)}`;
          if (found.length === 0) unseen.push(keyOf(row));
        }
      });
      await start(sink);
      for (let turn = 0; turn < 100; turn++) {
        const id = newId();
        ids.push(id);
        await sql`insert into cf_item (id, n) values (${id}, 0)`;
      }
      await sink.until((row) => ids.includes(keyOf(row)), ids.length);
      expect(unseen).toEqual([]);
    });

    test('a large transaction comes in parts, in order and complete', async () => {
      const sink = collector([{ table: 'cf_item' }]);
      const feed = await start(sink);
      const first = Number(newId());
      const count = MAX_BATCH_ROWS * 4 + 10;
      await sql`insert into cf_item (id, n) select ${first}::int8 + g, g from generate_series(1, ${count}::int4) g`;
      const rows = await sink.until((row) => Number(keyOf(row)) > first, count);
      expect(rows.every((row, index) => row.after?.['n'] === index + 1)).toBe(true);
      expect(Math.max(...sink.batches.map((batch) => batch.rows.length))).toBeLessThanOrEqual(MAX_BATCH_ROWS);
      const parts = sink.batches.flatMap(({ transactions }) => transactions);
      expect(parts.length).toBeGreaterThanOrEqual(4);
      expect(parts.map(({ isLastPart }) => isLastPart).indexOf(true)).toBe(parts.length - 1);
      const positions = sink.batches.map(({ position }) => position);
      expect([...positions].sort()).toEqual(positions);
      expect(new Set(positions).size).toBe(positions.length);
      await until(() => feed.status().lagMs === 0 && feed.status().handledRows >= count);
      await sql`delete from cf_item where id > ${first}`;
    });

    test('a consumer that fails gets the same batch until it succeeds, and nothing is skipped', async () => {
      let failures = 3;
      const attempts: string[] = [];
      const failing = collector([{ table: 'cf_item' }], async ({ position }) => {
        attempts.push(position);
        if (failures-- > 0) throw new Error('not yet');
      });
      const other = collector([{ table: 'cf_item' }]);
      const feed = await start(failing, other);
      const [one, two] = [newId(), newId()];
      await sql`insert into cf_item (id, n) values (${one}, 1)`;
      await until(() => attempts.length > 0);
      await sql`insert into cf_item (id, n) values (${two}, 2)`;
      await failing.until((row) => keyOf(row) === two, 1);
      expect(attempts.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => attempts[0] ?? ''));
      const ours = (row: RowChange) => [one, two].includes(keyOf(row));
      expect(failing.rows().filter(ours).map(keyOf)).toEqual([one, two]);
      expect(other.rows().filter(ours).map(keyOf)).toEqual([one, two]);
      expect(feed.status().lastError).toContain('not yet');
    });

    test('it goes on where it was confirmed, with what happened meanwhile', async () => {
      const sink = collector([{ table: 'cf_item' }]);
      const first = await start(sink);
      const [one, two, three] = [newId(), newId(), newId()];
      await sql`insert into cf_item (id, n) values (${one}, 1)`;
      await sink.until((row) => keyOf(row) === one, 1);
      await close(first);
      await sql`insert into cf_item (id, n) values (${two}, 2)`;
      await start(sink);
      await sql`insert into cf_item (id, n) values (${three}, 3)`;
      await sink.until((row) => keyOf(row) === three, 1);
      expect(sink.rows().map(keyOf)).toEqual([one, two, three]);
      expect(sink.rebuilds()).toBe(1);
    });

    test('a batch that was not finished when it closed comes again', async () => {
      let mayPass = false;
      const sink = collector([{ table: 'cf_item' }], async () => {
        if (!mayPass) throw new Error('away');
      });
      const first = await start(sink);
      const id = newId();
      await sql`insert into cf_item (id, n) values (${id}, 1)`;
      await until(() => first.status().lastError?.includes('away') === true);
      expect(first.status().lagMs).toBeGreaterThan(0);
      await close(first);
      expect(first.status().state).toBe('closed');
      expect(sink.rows()).toEqual([]);
      mayPass = true;
      await start(sink);
      await sink.until((row) => keyOf(row) === id, 1);
    });

    test('closing waits for the handler under way and confirms what it did', async () => {
      const gate = Promise.withResolvers<void>();
      let isIn = false;
      const sink = collector([{ table: 'cf_item' }], async () => {
        isIn = true;
        await gate.promise;
      });
      const first = await start(sink);
      const id = newId();
      await sql`insert into cf_item (id, n) values (${id}, 1)`;
      await until(() => isIn);
      const closed = close(first);
      gate.resolve();
      await closed;
      await start(sink);
      const later = newId();
      await sql`insert into cf_item (id, n) values (${later}, 1)`;
      await sink.until((row) => keyOf(row) === later, 1);
      expect(sink.rows().map(keyOf)).toEqual([id, later]);
    });

    test('one process leads at a time, and another takes its place', async () => {
      const name = `leader-${++next}`;
      const sinks = [0, 1].map(() => ({ ...collector([{ table: 'cf_item' }]), name }));
      const [one, two] = [open(sinks[0]!), open(sinks[1]!)];
      await until(() => [one, two].some((feed) => feed.status().state === 'leading'));
      await until(() => [one, two].some((feed) => feed.status().state === 'waiting'));
      const [leader, waiter] = one.status().state === 'leading' ? [one, two] : [two, one];
      const [first, second] = leader === one ? [sinks[0]!, sinks[1]!] : [sinks[1]!, sinks[0]!];
      const [before, after] = [newId(), newId()];
      await sql`insert into cf_item (id, n) values (${before}, 1)`;
      await first.until((row) => keyOf(row) === before, 1);
      expect(waiter.status().state).toBe('waiting');
      await close(leader);
      await sql`insert into cf_item (id, n) values (${after}, 1)`;
      await second.until((row) => keyOf(row) === after, 1);
      expect(second.rows().map(keyOf)).toEqual([after]);
      expect(second.rebuilds()).toBe(0);
    });

    test('who is new, or follows other tables, is rebuilt before its first batch; nobody else is', async () => {
      const [old, fresh] = [collector([{ table: 'cf_item' }]), collector([{ table: 'cf_whole' }])];
      const first = await start(old);
      expect(old.rebuilds()).toBe(1);
      await close(first);
      const second = await start(old, fresh);
      expect([old.rebuilds(), fresh.rebuilds()]).toEqual([1, 1]);
      await close(second);
      const wider = { ...old, tables: [{ table: 'cf_item' }, { table: 'cf_other' }] };
      await start(wider, fresh);
      expect([old.rebuilds(), fresh.rebuilds()]).toEqual([2, 1]);
    });

    test('a rebuild that fails is repeated, also by the next process', async () => {
      let isAway = true;
      const sink = collector([{ table: 'cf_item' }]);
      const rebuilt: string[] = [];
      const consumer: ChangeConsumer = {
        ...sink,
        rebuild: async () => {
          rebuilt.push(isAway ? 'failed' : 'done');
          if (isAway) throw new Error('away');
        },
      };
      const first = open(consumer);
      await until(() => rebuilt.length > 1);
      expect(first.status().state).toBe('rebuilding');
      await close(first);
      isAway = false;
      await start(consumer);
      expect(rebuilt.at(-1)).toBe('done');
    });

    test('a feed that lost changes begins anew and has everything rebuilt', async () => {
      const sink = collector([{ table: 'cf_item' }]);
      const first = await start(sink);
      const [missed, seen] = [newId(), newId()];
      await close(first);
      await sql`insert into cf_item (id, n) values (${missed}, 1)`;
      await made.lose();
      const second = await start(sink);
      expect([sink.rebuilds(), second.status().timesRebuilt]).toEqual([2, 1]);
      await sql`insert into cf_item (id, n) values (${seen}, 1)`;
      await sink.until((row) => keyOf(row) === seen, 1);
      expect(sink.rows().map(keyOf)).toEqual([seen]);
    });

    test('an effect in the database happens once, however often and however cut its batch comes', async () => {
      const sink = collector([{ table: 'cf_item' }]);
      await start(sink);
      const first = Number(newId());
      const count = MAX_BATCH_ROWS * 2 + 7;
      await sql`insert into cf_item (id, n) select ${first}::int8 + g, 1 from generate_series(1, ${count}::int4) g`;
      await sql`update cf_item set n = 2 where id = ${first + 1}`;
      await sink.until((row) => Number(keyOf(row)) > first, count + 1);
      const name = `effect-${next}`;
      const applied: string[] = [];
      const apply = (batch: ChangeBatch) =>
        effectOnce(db, name, batch, async (_tx, rest) => {
          for (const row of rest.rows) applied.push(`${keyOf(row)} ${row.operation}`);
        });
      for (const batch of sink.batches) await apply(batch);
      for (const batch of sink.batches) await apply(batch);
      for (const batch of sink.batches) await apply(cut(batch, 3));
      expect(applied.length).toBe(count + 1);
      // The other way round: a part first, then the whole of it.
      applied.length = 0;
      await db.sql`delete from change_position where consumer = ${name}`;
      for (const batch of sink.batches) {
        await apply(cut(batch, 3));
        await apply(batch);
      }
      expect(applied.length).toBe(count + 1);
      expect(new Set(applied).size).toBe(count + 1);
      await sql`delete from cf_item where id > ${first}`;
    });
  });
}

/** The first rows of a batch, as a feed that cuts transactions elsewhere would have delivered them. */
function cut(batch: ChangeBatch, count: number): ChangeBatch {
  const [transaction] = batch.transactions;
  const rows = transaction?.rows.slice(0, count) ?? [];
  const last = rows.at(-1);
  if (!transaction || !last || rows.length === transaction.rows.length) return batch;
  const position = transaction.position.slice(0, -14) + last.ordinal.toString(16).padStart(14, '0');
  return { position, rows, transactions: [{ ...transaction, position, rows, isLastPart: false }] };
}

const keyOf = ({ before, after }: RowChange): string => String((after ?? before)?.['id'] ?? '');
const fail = (error: unknown) => {
  throw error;
};

const deadlineMs = 10_000;

async function until(isSo: () => boolean, detail?: () => unknown): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!isSo()) {
    if (performance.now() > endMs) {
      throw new Error(`not within ${deadlineMs} ms: ${isSo} ${JSON.stringify(detail?.())}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let collectors = 0;

/** A consumer that keeps what it has handled; `work` comes first and may throw. */
function collector(tables: readonly FollowedTable[], work?: (batch: ChangeBatch) => Promise<void>) {
  const batches: ChangeBatch[] = [];
  let rebuilds = 0;
  const rows = () => batches.flatMap((batch) => batch.rows);
  return {
    name: `collector-${++collectors}`,
    tables,
    batches,
    rows,
    rebuilds: () => rebuilds,
    handle: async (batch: ChangeBatch) => {
      await work?.(batch);
      batches.push(batch);
    },
    rebuild: async () => {
      rebuilds += 1;
    },
    /** Exactly `count` rows of a kind. */
    until: async (isOne: (row: RowChange) => boolean, count: number) => {
      await until(() => rows().filter(isOne).length >= count);
      const found = rows().filter(isOne);
      expect(found.length).toBe(count);
      return found;
    },
  };
}

async function createTables({ sql }: Database): Promise<void> {
  await sql`create table cf_item (id int8 primary key, n int4 not null, name text)`;
  await sql`create table cf_other (id int8 primary key)`;
  await sql`create table cf_whole (id int8 primary key, owner text not null, body text)`;
  await sql`alter table cf_item alter column name set storage external`;
  await sql`alter table cf_whole alter column body set storage external`;
  await sql`
    create table cf_types (id int8 primary key, i2 int2, i4 int4, i8 int8, num numeric, f8 float8, nan float8, flag bool,
      at timestamptz, day date, doc jsonb, docs json, raw bytea, uid uuid, texts text[], ids int8[], empty int4[],
      nothing text)`;
}
