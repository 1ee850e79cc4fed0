import { expect, test } from 'bun:test';
import { busContract } from '../../ports/bus/contract.ts';
import { cacheStoreContract } from '../../ports/cache-store/contract.ts';
import { MemoryBus } from './bus.ts';
import { MemoryCacheStore } from './cache-store.ts';

function manualClock() {
  let nowMs = 1;
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    after: () => ({ [Symbol.dispose]: () => {} }),
    every: () => ({ [Symbol.dispose]: () => {} }),
  };
  return {
    clock,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

cacheStoreContract('memory', async () => {
  const { clock, pass } = manualClock();
  const store = new MemoryCacheStore(clock, { maxBytes: 8 << 20 });
  return { nodes: [store, store], elapse: async (ms) => pass(ms), close: async () => {} };
});

busContract('memory', async () => {
  const bus = new MemoryBus();
  return { nodes: [bus, bus], close: async () => {} };
});

test('the store stays within its bytes; what was used longest ago goes first', async () => {
  const store = new MemoryCacheStore(manualClock().clock, { maxBytes: 10_000 });
  const key = (n: number) => ({ key: `k${n}`, owner: `rows:id=${n}` });
  for (let n = 0; n < 50; n++) {
    const [result] = await store.read([key(n)], { leaseMs: 1_000 });
    if (result?.kind !== 'lease') throw new Error('no lease');
    const value = new Uint8Array(500);
    await store.fill([
      {
        ...key(n),
        token: result.token,
        value,
        freshForMs: 1_000,
        staleForMs: 0,
        contains: [],
        ageMs: 0,
      },
    ]);
    expect((await store.read([key(0)], undefined))[0]?.kind).toBe('hit');
    expect(store.stats().bytes).toBeLessThanOrEqual(10_000);
  }
  expect(store.stats().evictions).toBeGreaterThan(30);
  expect((await store.read([key(1)], undefined))[0]?.kind).toBe('miss');
});
