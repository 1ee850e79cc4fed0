import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cleanIdempotencyKeys } from '../../src/adapters/postgres/idempotency.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { ForeignKeyViolation, type Idempotency, UniqueViolation } from '../../src/ports/database/port.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
  await t.database
    .sql`create table parent (id int8 primary key, note text, constraint note_once unique (note))`;
  await t.database.sql`create table child (id int8 primary key, parent int8 references parent)`;
});
afterAll(() => t[Symbol.asyncDispose]());

const codeOf = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );
const key = (over: Partial<Idempotency> = {}): Idempotency => ({
  accountId: '1',
  key: crypto.randomUUID(),
  requestHash: 'h',
  ...over,
});

describe('sql', () => {
  test('gives ids as strings, and splices templates, rows and arrays', async () => {
    const { sql } = t.database;
    await sql`insert into parent ${sql.rows([
      { id: '9007199254740993', note: 'a' },
      { id: '2', note: null },
    ])}`;
    const where = sql`where id = any(${sql.array(['9007199254740993', '7'], 'int8')})`;
    const rows = await sql`select id, note from parent ${where}`;
    expect(rows).toEqual([{ id: '9007199254740993', note: 'a' }]);
    const [typed] = await sql`
      select 1::int4 as i, ${{ a: [1] }}::jsonb as j, ${new Date(5)}::timestamptz as d, count(*) as n from parent`;
    expect(typed).toEqual({ i: 1, j: { a: [1] }, d: new Date(5), n: '2' });
  });

  test('names the violated constraint', async () => {
    const { sql } = t.database;
    await sql`insert into parent (id, note) values (10, 'taken')`;
    const unique = await sql`insert into parent (id, note) values (11, 'taken')`.catch((error) => error);
    expect(unique).toBeInstanceOf(UniqueViolation);
    expect(unique).toMatchObject({ constraint: 'note_once' });
    const foreign = await sql`insert into child values (1, 404)`.catch((error) => error);
    expect(foreign).toBeInstanceOf(ForeignKeyViolation);
  });

  test('an abort cancels the statement on the server', async () => {
    const { sql } = t.database;
    const abort = new AbortController();
    const statement = sql`select pg_sleep(9) as marked_statement`.withSignal(abort.signal);
    const settled = statement.catch((error) => error);
    const running = async () =>
      (
        await sql`select count(*)::int4 as n from pg_stat_activity
        where state = 'active' and query like '%marked_statement%' and pid <> pg_backend_pid()`
      )[0].n;
    await until(async () => (await running()) === 1);
    abort.abort(new Error('gone'));
    expect(await settled).toEqual(new Error('gone'));
    await until(async () => (await running()) === 0);
  });
});

describe('transaction', () => {
  test('rolls everything back when it throws', async () => {
    const failure = new Error('no');
    const attempt = t.database.transaction(async (tx) => {
      await tx`insert into parent (id) values (20)`;
      throw failure;
    });
    expect(await attempt.catch((error) => error)).toBe(failure);
    expect(await t.database.sql`select 1 from parent where id = 20`).toHaveLength(0);
  });

  test('runs again after a deadlock, and both sides end', async () => {
    const { database } = t;
    await database.sql`insert into parent (id, note) values (31, '0'), (32, '00')`;
    const bothIn = Promise.withResolvers<void>();
    let inside = 0;
    const cross = (first: string, second: string) =>
      database.transaction(async (tx) => {
        await tx`update parent set note = note || 'x' where id = ${first}`;
        inside += 1;
        if (inside === 2) bothIn.resolve();
        await bothIn.promise;
        await tx`update parent set note = note || 'y' where id = ${second}`;
      });
    await Promise.all([cross('31', '32'), cross('32', '31')]);
    const rows = await database.sql`select length(note) as n from parent where id in (31, 32) order by id`;
    expect(rows.map((row) => row.n)).toEqual([3, 4]);
    expect(inside).toBeGreaterThanOrEqual(3);
  });

  test('serializable counters lose no increment', async () => {
    await t.database.sql`insert into parent (id, note) values (40, '')`;
    const increment = () =>
      t.database.transaction(
        async (tx) => {
          const [row] = await tx`select note from parent where id = 40`;
          await tx`update parent set note = ${`${row.note}i`} where id = 40`;
        },
        { isolation: 'serializable' },
      );
    await Promise.all([increment(), increment(), increment()]);
    expect((await t.database.sql`select note from parent where id = 40`)[0].note).toBe('iii');
  });
});

describe('write', () => {
  test('many requests with one key do the work once and get one answer', async () => {
    let runs = 0;
    const idempotency = key();
    const request = () =>
      t.database.write(idempotency, async (tx) => {
        runs += 1;
        const [row] = await tx`insert into parent (id) values (${String(1000 + runs)}) returning id`;
        return { id: row.id as string, at: '2025-01-01' };
      });
    const answers = await Promise.all(Array.from({ length: 8 }, request));
    expect(runs).toBe(1);
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set(['{"id":"1001","at":"2025-01-01"}']),
    );
  });

  test('refuses the key for another request, and keeps accounts apart', async () => {
    const first = key();
    expect(await t.database.write(first, async () => 'one')).toBe('one');
    expect(await codeOf(t.database.write({ ...first, requestHash: 'other' }, async () => 'two'))).toBe(
      'idempotency-conflict',
    );
    expect(await t.database.write({ ...first, accountId: '2' }, async () => 'three')).toBe('three');
  });

  test('a failed request leaves the key free', async () => {
    const idempotency = key();
    const failing = t.database.write(idempotency, async () => {
      throw new AppError('forbidden');
    });
    expect(await codeOf(failing)).toBe('forbidden');
    expect(await t.database.write(idempotency, async () => 'now')).toBe('now');
  });

  test('a request that waited for one that failed does the work itself', async () => {
    const idempotency = key();
    const entered = Promise.withResolvers<void>();
    const fail = Promise.withResolvers<void>();
    const first = t.database.write(idempotency, async () => {
      entered.resolve();
      await fail.promise;
      throw new AppError('forbidden');
    });
    const firstCode = codeOf(first);
    await entered.promise;
    const second = t.database.write(idempotency, async () => 'second');
    await until(async () => {
      const [row] = await t.database.sql`select count(*)::int4 as n from pg_locks where not granted`;
      return row.n > 0;
    });
    fail.resolve();
    expect(await firstCode).toBe('forbidden');
    expect(await second).toBe('second');
  });

  test('cleaning removes what is older than a day and nothing else', async () => {
    const { sql } = t.database;
    await sql`delete from idempotency_key`;
    await sql`insert into idempotency_key (account_id, key, request_hash, created_at)
      select 7, 'old' || i, 'h', now() - interval '25 hours' from generate_series(1, 2500) i`;
    await t.database.write(key({ key: 'young' }), async () => null);
    expect(await cleanIdempotencyKeys(t.database)).toBe(2500);
    expect(await sql`select key from idempotency_key`).toEqual([{ key: 'young' }]);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition did not come true within 5 s');
    await Bun.sleep(5);
  }
}
