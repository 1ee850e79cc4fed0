import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { openJobQueue, type PostgresJobQueue } from '../../src/adapters/postgres/job-queue.ts';
import type { Job, JobKind } from '../../src/ports/job-queue/port.ts';
import { testLog as log, type TestDatabase, testDatabase } from '../support/database.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase({ maxConnections: 10 });
});
afterAll(() => t[Symbol.asyncDispose]());

const fresh = (over: Partial<JobKind<number>> = {}): JobKind<number> => ({
  name: `kind-${crypto.randomUUID().slice(0, 8)}`,
  retryLimit: 2,
  leaseSeconds: 10,
  concurrency: 4,
  ...over,
});

async function started(register: (queue: PostgresJobQueue) => void): Promise<PostgresJobQueue> {
  const queue = openJobQueue({ database: t.database, log });
  register(queue);
  await queue.start();
  return queue;
}

const stateOf = async (kind: JobKind<number>) =>
  (await t.database.sql`select state, retry_count as tries from pgboss.job where name = ${kind.name}
    order by created_on, id`) as { state: string; tries: number }[];

describe('PostgresJobQueue', () => {
  test('a job starts within 100 ms of its commit, and only if there is a commit', async () => {
    const kind = fresh();
    const startedAt: number[] = [];
    await using queue = await started((queue) => {
      queue.handle(kind, async ({ payload }) => {
        startedAt[payload] = performance.now();
      });
    });
    const delays: number[] = [];
    for (let n = 0; n < 20; n++) {
      await t.database.transaction((tx) => queue.enqueue(tx, kind, n));
      const committedAt = performance.now();
      await until(() => startedAt[n] !== undefined);
      delays.push((startedAt[n] ?? 0) - committedAt);
    }
    expect(Math.max(...delays)).toBeLessThan(100);
    const undone = t.database.transaction(async (tx) => {
      await queue.enqueue(tx, kind, 99);
      throw new Error('undone');
    });
    expect(await undone.catch((error) => error.message)).toBe('undone');
    expect(await stateOf(kind)).toHaveLength(20);
    await until(async () => (await stateOf(kind)).every(({ state }) => state === 'completed'));
  });

  test('works on no more jobs at once than the kind allows, higher priority first', async () => {
    const kind = fresh({ concurrency: 2 });
    const order: number[] = [];
    let active = 0;
    let most = 0;
    const queue = openJobQueue({ database: t.database, log });
    queue.handle(kind, async ({ payload }) => {
      active += 1;
      most = Math.max(most, active);
      order.push(payload);
      await Bun.sleep(5);
      active -= 1;
    });
    await t.database.transaction(async (tx) => {
      for (const n of [1, 2, 3, 4, 5, 6]) await queue.enqueue(tx, kind, n, { priority: n });
    });
    await queue.start();
    await until(() => order.length === 6);
    await queue.stop();
    expect(most).toBe(2);
    expect(order.slice(0, 2).sort()).toEqual([5, 6]);
  });

  test('a key is not doubled while it waits; without a key nothing is merged', async () => {
    const kind = fresh();
    const queue = openJobQueue({ database: t.database, log, work: false });
    const { sql } = t.database;
    await queue.enqueue(sql, kind, 1, { key: 'same' });
    await queue.enqueue(sql, kind, 2, { key: 'same' });
    await queue.enqueue(sql, kind, 3);
    await queue.enqueue(sql, kind, 4);
    expect(await stateOf(kind)).toHaveLength(3);
    await queue.stop();
  });

  test('starts no job before its time', async () => {
    const kind = fresh();
    let startedAtMs = 0;
    await using queue = await started((queue) => {
      queue.handle(kind, async () => {
        startedAtMs = Date.now();
      });
    });
    const startAfter = new Date(Date.now() + 400);
    await queue.enqueue(t.database.sql, kind, 1, { startAfter });
    await until(() => startedAtMs > 0);
    expect(startedAtMs).toBeGreaterThanOrEqual(startAfter.getTime());
    expect(startedAtMs).toBeLessThan(startAfter.getTime() + 1_600);
  });

  test('a failing job is tried again with a pause, knows its last try, and ends', async () => {
    const kind = fresh({ retryLimit: 1 });
    const tries: Pick<Job<number>, 'retryCount' | 'lastTry'>[] = [];
    await using queue = await started((queue) => {
      queue.handle(kind, async ({ retryCount, lastTry }) => {
        tries.push({ retryCount, lastTry });
        throw new Error('broken');
      });
    });
    await queue.enqueue(t.database.sql, kind, 1);
    await until(async () => (await stateOf(kind))[0]?.state === 'failed');
    expect(tries).toEqual([
      { retryCount: 0, lastTry: false },
      { retryCount: 1, lastTry: true },
    ]);
  });

  test('stopping aborts the handler and the job goes back without losing a try', async () => {
    const kind = fresh();
    const inside = Promise.withResolvers<void>();
    const first = await started((queue) => {
      queue.handle(kind, ({ signal }) => {
        inside.resolve();
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      });
    });
    await first.enqueue(t.database.sql, kind, 7);
    await inside.promise;
    await first.stop();
    expect(await stateOf(kind)).toMatchObject([{ state: 'retry', tries: 0 }]);
    const again = Promise.withResolvers<Job<number>>();
    await using _second = await started((queue) => {
      queue.handle(kind, async (job) => again.resolve(job));
    });
    expect(await again.promise).toMatchObject({ payload: 7, retryCount: 0 });
  });

  test('a job of a dead worker is taken over when its lease ends, and the dead one changes nothing', async () => {
    const kind = fresh();
    const queue = openJobQueue({ database: t.database, log, work: false });
    await queue.enqueue(t.database.sql, kind, 5);
    // What a killed worker leaves behind.
    await t.database.sql`update pgboss.job set state = 'active', started_on = now() - interval '11 seconds',
      heartbeat_on = now() - interval '11 seconds' where name = ${kind.name}`;
    const taken = Promise.withResolvers<Job<number>>();
    await using _worker = await started((queue) => {
      queue.handle(kind, async (job) => taken.resolve(job));
    });
    expect(await taken.promise).toMatchObject({ payload: 5, retryCount: 1 });
    await queue.stop();
  }, 15_000);

  test('a worker that has lost its lease is told, and its end counts for nothing', async () => {
    const kind = fresh({ leaseSeconds: 10 });
    const inside = Promise.withResolvers<AbortSignal>();
    await using queue = await started((queue) => {
      queue.handle(kind, ({ signal }) => {
        inside.resolve(signal);
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      });
    });
    await queue.enqueue(t.database.sql, kind, 1);
    const signal = await inside.promise;
    await t.database.sql`update pgboss.job set retry_count = retry_count + 1 where name = ${kind.name}`;
    await until(() => signal.aborted, 8_000);
    expect(await stateOf(kind)).toMatchObject([{ state: 'active', tries: 1 }]);
  }, 12_000);

  test('after the death of the only process everything is taken over at once', async () => {
    const kind = fresh();
    const queue = openJobQueue({ database: t.database, log, work: false });
    await queue.enqueue(t.database.sql, kind, 1);
    await t.database.sql`update pgboss.job set state = 'active', started_on = now(), heartbeat_on = now()
      where name = ${kind.name}`;
    expect(await queue.reclaimAll()).toBeGreaterThanOrEqual(1);
    await queue.stop();
    const taken = Promise.withResolvers<Job<number>>();
    const before = performance.now();
    await using _worker = await started((queue) => {
      queue.handle(kind, async (job) => taken.resolve(job));
    });
    expect(await taken.promise).toMatchObject({ retryCount: 1 });
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  test('two workers share a queue and run each job once', async () => {
    const kind = fresh({ concurrency: 3 });
    const runs: number[] = [];
    const register = (queue: PostgresJobQueue) => {
      queue.handle(kind, async ({ payload }) => {
        runs.push(payload);
      });
    };
    await using one = await started(register);
    await using _two = await started(register);
    await t.database.transaction(async (tx) => {
      for (let n = 0; n < 40; n++) await one.enqueue(tx, kind, n);
    });
    await until(() => runs.length >= 40);
    await until(async () => (await stateOf(kind)).every(({ state }) => state === 'completed'));
    expect(runs.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  test('keeps the schedules that are registered, and runs their jobs', async () => {
    const ran = Promise.withResolvers<void>();
    await (await started((queue) => queue.schedule('tidy-old', '0 3 * * *', async () => {}))).stop();
    await using _queue = await started((queue) => {
      queue.schedule('tidy-new', '* * * * *', async () => ran.resolve());
    });
    const names = await t.database.sql`select name, cron from pgboss.schedule`;
    expect(names).toEqual([{ name: 'tidy-new', cron: '* * * * *' }]);
    // pg-boss's own pass puts this row there at the minute.
    await t.database.sql`insert into pgboss.job (name, policy) values ('tidy-new', 'short')`;
    await ran.promise;
  });

  test('refuses a payload that is too large', async () => {
    const kind: JobKind<string> = { ...fresh(), payload: '' };
    const queue = openJobQueue({ database: t.database, log, work: false });
    const refused = queue.enqueue(t.database.sql, kind, 'x'.repeat(70_000));
    expect(await refused.catch((error) => error.message)).toContain('larger than 65536 bytes');
    await queue.stop();
  });
});

async function until(condition: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition did not come true within ${withinMs} ms`);
    await Bun.sleep(3);
  }
}
