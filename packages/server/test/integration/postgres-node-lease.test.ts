import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { leaseNode } from '../../src/adapters/postgres/node-lease.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { testLog as log, type TestDatabase, testDatabase } from '../support/database.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(async () => {
  await t.database.sql`delete from node_lease`;
});

/** Turns of the renewal are taken by hand, and the machine's clocks can be moved. */
function handClock() {
  let turn: () => void | Promise<void> = () => {};
  let aheadMs = 0;
  const clock: Clock = {
    ...systemClock,
    nowMs: () => Date.now() + aheadMs,
    monotonicMs: () => performance.now() + aheadMs,
    every: (_ms, run) => {
      turn = run;
      return { [Symbol.dispose]: () => {} };
    },
  };
  return { clock, renew: () => turn(), advance: (ms: number) => (aheadMs += ms) };
}

test('many processes at once get different numbers and different ids', async () => {
  const leases = await Promise.all(
    Array.from({ length: 12 }, () => leaseNode({ database: t.database, log })),
  );
  expect(new Set(leases.map(({ node }) => node)).size).toBe(12);
  const ids = leases.flatMap(({ ids }) => Array.from({ length: 500 }, () => ids.next()));
  expect(new Set(ids).size).toBe(6_000);
  await Promise.all(leases.map((lease) => lease.release()));
});

test('a number that was given back rests until its permitted time has passed', async () => {
  const first = await leaseNode({ database: t.database, log });
  expect(first.node).toBe(0);
  await first.release();
  expect(() => first.ids.next()).toThrow('The database cannot be reached');
  await using second = await leaseNode({ database: t.database, log });
  expect(second.node).toBe(1);
  await t.database.sql`update node_lease set issued_until_ms = 0 where node = 0`;
  await using third = await leaseNode({ database: t.database, log });
  expect(third.node).toBe(0);
});

test('who takes a number later has a larger generation, and renewing keeps it', async () => {
  const hand = handClock();
  await using first = await leaseNode({ database: t.database, log, clock: hand.clock });
  const identity = first.identity;
  expect(identity?.node).toBe(0);
  await hand.renew();
  expect(first.identity).toEqual(identity);
  // Its number is free again when both times have passed; here the database's clock is not waited for.
  await t.database.sql`
    update node_lease set expires_at = clock_timestamp() - interval '1 second',
      issued_until_ms = (extract(epoch from clock_timestamp()) * 1000)::int8 - 1`;
  await using second = await leaseNode({ database: t.database, log });
  expect(second.identity?.node).toBe(0);
  expect(second.identity?.generation).toBeGreaterThan(identity?.generation ?? Number.POSITIVE_INFINITY);
});

test('a process that was away past its lease refuses, and takes another number when its own is gone', async () => {
  const away = handClock();
  await using lease = await leaseNode({ database: t.database, log, clock: away.clock, leaseMs: 1_000 });
  const before = lease.ids.next();
  away.advance(1_001);
  expect(() => lease.ids.next()).toThrow('The database cannot be reached');
  await t.database.sql`update node_lease set holder = 'somebody else' where node = ${lease.node ?? 0}`;
  await away.renew();
  expect(lease.node).toBe(1);
  expect(BigInt(lease.ids.next())).toBeGreaterThan(BigInt(before));
});

test('renewing carries the lease on', async () => {
  const steady = handClock();
  await using lease = await leaseNode({ database: t.database, log, clock: steady.clock, leaseMs: 1_000 });
  for (let i = 0; i < 4; i++) {
    steady.advance(900);
    await steady.renew();
    lease.ids.next();
  }
  expect(lease.node).toBe(0);
});
