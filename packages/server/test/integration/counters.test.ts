import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type LmdbCounterStore, openLmdbCounterStore } from '../../src/adapters/lmdb/counter-store.ts';
import { type CountersService, createCounters, type Increment } from '../../src/features/counters/index.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { observationOf } from '../../src/kernel/hyperloglog.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { Database, Sql } from '../../src/ports/database/port.ts';
import { type TestDatabase, testDatabase, testLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

let test_: TestDatabase;
let folder = '';
let store: LmdbCounterStore;
let nextSource = 1;
let nextId = 1_000_000;

beforeAll(async () => {
  test_ = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'hvideo-counters-'));
  store = await openLmdbCounterStore(join(folder, 'counters'));
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await test_[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const newId = () => String(nextId++);

/** As one process has it. */
function open(db: Database = test_.database): CountersService {
  return createCounters({
    ...{ db, store, clock: systemClock, random: systemRandom, log: testLog },
    ids: { next: () => String(nextSource++) },
  });
}

async function record(counters: CountersService, increments: readonly Increment[]): Promise<void> {
  const recorded = await test_.database.transaction((tx) => counters.record(tx, increments));
  counters.committed(recorded);
}

const likes = async (counters: CountersService, id: string) =>
  (await counters.read([{ id, metric: 'likes' }]))[0];

describe('counters', () => {
  test('what was never counted is zero', async () => {
    const counters = open();
    expect(
      await counters.read([
        { id: newId(), metric: 'views' },
        { id: newId(), metric: 'viewers' },
      ]),
    ).toEqual([0, 0]);
    expect(await counters.read([])).toEqual([]);
  });

  test('a process reads its own increments at once, before and after they are folded', async () => {
    const counters = open();
    const id = newId();
    expect(await likes(counters, id)).toBe(0);
    await record(counters, [{ id, metric: 'likes', delta: 2 }]);
    expect(await likes(counters, id)).toBe(2);
    await counters.add([{ id, metric: 'likes', delta: 3 }]);
    expect(await likes(counters, id)).toBe(5);
    for (let turn = 0; turn < 3; turn++) {
      await counters.fold();
      expect(await likes(counters, id)).toBe(5);
    }
    await record(counters, [{ id, metric: 'likes', delta: -1 }]);
    expect(await likes(counters, id)).toBe(4);
  });

  test('another process reads them once they are folded', async () => {
    const [here, there] = [open(), open()];
    const id = newId();
    expect(await likes(there, id)).toBe(0);
    await here.add([{ id, metric: 'likes', delta: 7 }]);
    await there.fold();
    expect([await likes(here, id), await likes(there, id)]).toEqual([7, 7]);
  });

  test('a process that does not fold forgets what others have folded, and goes on reading it', async () => {
    const [api, worker] = [open(), open()];
    const id = newId();
    api.startSettling();
    try {
      await record(api, [{ id, metric: 'likes', delta: 2 }]);
      await api.add([{ id, metric: 'likes', delta: 3 }]);
      expect(api.unsettled).toBe(1);
      expect(await likes(api, id)).toBe(5);
      await worker.fold();
      await eventually(async () => api.unsettled === 0);
      expect(await likes(api, id)).toBe(5);
    } finally {
      await api.close();
      await worker.close();
    }
  });

  test('nothing is counted when the transaction rolls back', async () => {
    const counters = open();
    const id = newId();
    const failing = test_.database.transaction(async (tx) => {
      await counters.record(tx, [{ id, metric: 'likes', delta: 1 }]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await counters.fold();
    expect(await likes(counters, id)).toBe(0);
  });

  test('a batch of a transaction that is still open holds the fold back, and is never lost', async () => {
    const counters = open();
    const id = newId();
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
    const { promise: hasWritten, resolve: written } = Promise.withResolvers<void>();
    const slow = test_.database.transaction(async (tx) => {
      const recorded = await counters.record(tx, [{ id, metric: 'likes', delta: 1 }]);
      written();
      await mayEnd;
      return recorded;
    });
    await hasWritten;
    await record(counters, [{ id, metric: 'likes', delta: 10 }]);
    await counters.fold();
    expect(await likes(counters, id)).toBe(10);
    end();
    counters.committed(await slow);
    expect(await likes(counters, id)).toBe(11);
    await counters.fold();
    await counters.fold();
    expect([await likes(counters, id), await likes(open(), id)]).toEqual([11, 11]);
  });

  test('calls of the same moment share one row', async () => {
    const rows: number[] = [];
    const counters = open(
      counting(test_.database, (text) => rows.push(Number(text.includes('counter_source')))),
    );
    const ids = Array.from({ length: 50 }, newId);
    await Promise.all(
      Array.from({ length: 1_000 }, (_, at) =>
        counters.add([{ id: ids[at % 50]!, metric: 'views', delta: 1 }]),
      ),
    );
    expect(rows.reduce((sum, each) => sum + each, 0)).toBe(1);
    expect(await counters.read(ids.map((id) => ({ id, metric: 'views' })))).toEqual(ids.map(() => 20));
  });

  test('a row whose acknowledgement is lost is not counted twice', async () => {
    let losses = 2;
    const counters = open(
      counting(test_.database, (text) => {
        if (text.includes('counter_source') && losses-- > 0) throw new AppError('database-unavailable');
      }),
    );
    const id = newId();
    await counters.add([{ id, metric: 'shares', delta: 1 }]);
    await counters.fold();
    expect(losses).toBeLessThan(0);
    expect(await open().read([{ id, metric: 'shares' }])).toEqual([1]);
  });

  test('what cannot be written fails those who wait, and nobody else', async () => {
    let broken = true;
    const counters = open(
      counting(test_.database, () => {
        if (broken) throw new Error('no such table');
      }),
    );
    const id = newId();
    await expect(counters.add([{ id, metric: 'shares', delta: 1 }])).rejects.toThrow('no such table');
    broken = false;
    await counters.add([{ id, metric: 'shares', delta: 1 }]);
  });

  test('unique viewers are estimated, whoever saw it twice or on another node', async () => {
    const [here, there] = [open(), open()];
    const id = newId();
    const viewers = 2_000;
    for (const counters of [here, there]) {
      for (let at = 0; at < viewers; at += 500) {
        const sightings = Array.from({ length: 500 }, (_, i) => ({
          id,
          observation: observationOf(Bun.hash(`viewer ${at + i}`) as bigint),
        }));
        await counters.add([{ id, metric: 'views', delta: 500 }], sightings);
      }
      await counters.fold();
    }
    const [views, seen] = await here.read([
      { id, metric: 'views' },
      { id, metric: 'viewers' },
    ]);
    expect(views).toBe(2 * viewers);
    expect(Math.abs((seen ?? 0) - viewers) / viewers).toBeLessThan(0.06);
  });

  test('a folder that died before it copied is made up for', async () => {
    const id = newId();
    const counters = open();
    expect(await likes(counters, id)).toBe(0);
    const dying = createCounters({
      ...{ db: test_.database, clock: systemClock, random: systemRandom, log: testLog },
      ids: { next: () => String(nextSource++) },
      store: { read: (keys) => store.read(keys), putNewer: () => Promise.reject(new Error('killed')) },
    });
    await dying.add([{ id, metric: 'likes', delta: 4 }]);
    await expect(dying.fold()).rejects.toThrow('killed');
    expect(await likes(counters, id)).toBe(0);
    await counters.fold();
    expect(await likes(counters, id)).toBe(4);
  });

  test('data of another PostgreSQL, with greater transaction numbers, goes on being counted', async () => {
    const counters = open();
    const id = newId();
    await record(counters, [{ id, metric: 'likes', delta: 1 }]);
    await counters.fold();
    const { sql } = test_.database;
    await sql`update counter set revision = 4000000000`;
    await sql`update counter_fold set folded = 4000000000, copied = 4000000000`;
    await sql`insert into counter_batch (xid, ids, metrics, deltas) values ('4000000001', array[${id}]::int8[], '{1}', '{5}')`;
    const folderAfter = await mkdtemp(join(folder, 'after-'));
    await using emptied = await openLmdbCounterStore(folderAfter);
    const restored = createCounters({
      ...{ db: test_.database, store: emptied, clock: systemClock, random: systemRandom, log: testLog },
      ids: { next: () => String(nextSource++) },
    });
    await restored.open();
    await restored.add([{ id, metric: 'likes', delta: 10 }]);
    await restored.fold();
    await restored.fold();
    expect(await likes(restored, id)).toBe(16);
  });

  test('what is forgotten stays so, also when increments were on their way', async () => {
    const counters = open();
    const id = newId();
    await counters.add([{ id, metric: 'views', delta: 5 }], [{ id, observation: observationOf(7n) }]);
    await counters.fold();
    await counters.add([{ id, metric: 'views', delta: 1 }], [{ id, observation: observationOf(8n) }]);
    await test_.database.transaction((tx) => counters.forget(tx, [id]));
    await counters.add([{ id, metric: 'likes', delta: 1 }]);
    await counters.fold();
    const { sql } = test_.database;
    const rows = () => sql`
      select id from counter where id = ${id} union all select id from counter_sketch where id = ${id}
      union all select unnest(ids) from counter_batch where ${id} = any(ids)`;
    expect(await rows()).toEqual([]);
    await sql`update counter_gone set gone_at = now() - interval '2 days' where id = ${id}`;
    await sql`insert into counter (id, metric, total, revision) values (${id}, 1, 1, 1)`;
    await counters.clean();
    expect(await rows()).toEqual([]);
  });

  test('any history on two processes: own increments at once, everybody’s after folding', async () => {
    const metrics = ['likes', 'views', 'followers'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            process: fc.nat(1),
            counter: fc.nat(3),
            metric: fc.constantFrom(...metrics),
            delta: fc.integer({ min: -3, max: 9 }).filter((delta) => delta !== 0),
            action: fc.constantFrom('record', 'add', 'fold', 'restart'),
          }),
          { maxLength: 25 },
        ),
        async (steps) => {
          const processes = [open(), open()];
          const ids = Array.from({ length: 4 }, newId);
          const truth = new Map<string, number>();
          const mine = [new Map<string, number>(), new Map<string, number>()];
          for (const { process, counter, metric, delta, action } of steps) {
            const id = ids[counter]!;
            const counters = processes[process]!;
            if (action === 'fold') await counters.fold();
            else if (action === 'restart') {
              processes[process] = open();
              mine[process]!.clear();
            } else {
              const increment = { id, metric, delta };
              await (action === 'add' ? counters.add([increment]) : record(counters, [increment]));
              const key = `${id}:${metric}`;
              truth.set(key, (truth.get(key) ?? 0) + delta);
              mine[process]!.set(key, delta);
              // All of its own are there; what the other did may be.
              const [read] = await counters.read([{ id, metric }]);
              if (mine[1 - process]!.size === 0 && !steps.some((step) => step.action === 'restart'))
                expect(read).toBe(truth.get(key)!);
            }
          }
          await processes[0]!.fold();
          const names = ids.flatMap((id) => metrics.map((metric) => ({ id, metric })));
          const expected = names.map(({ id, metric }) => truth.get(`${id}:${metric}`) ?? 0);
          for (const counters of [...processes, open()]) expect(await counters.read(names)).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });
});

/** Calls `after` with the text of each lone statement once it has run; what it throws stands for a lost answer. */
function counting(db: Database, after: (text: string) => void): Database {
  const sql = ((strings: TemplateStringsArray, ...values: unknown[]) => {
    const query = db.sql(strings, ...values);
    const text = strings.join('?');
    return Object.assign(Object.create(query), {
      withSignal: (signal: AbortSignal | undefined) => query.withSignal(signal),
      // biome-ignore lint/suspicious/noThenProperty: a query is lazy, and so is what stands before it.
      then: (done: (rows: unknown) => unknown, failed: (reason: unknown) => unknown) =>
        query
          .withSignal(undefined)
          .then((rows) => {
            after(text);
            return rows;
          })
          .then(done, failed),
    });
  }) as Sql;
  return {
    sql: Object.assign(sql, { rows: db.sql.rows, array: db.sql.array }),
    transaction: (work, options) => db.transaction(work, options),
    write: (idempotency, work) => db.write(idempotency, work),
  };
}
