import { expect, test } from 'bun:test';
import { counterStoreContract } from '../../ports/counter-store/contract.ts';
import { MemoryCounterStore } from './counter-store.ts';

function manualClock() {
  let nowMs = 1;
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
    after: () => ({ [Symbol.dispose]: () => {} }),
    every: () => ({ [Symbol.dispose]: () => {} }),
  };
  return { clock, pass: (ms: number) => (nowMs += ms) };
}

counterStoreContract('memory', async () => {
  const store = new MemoryCounterStore(manualClock().clock);
  return { store, second: store, close: async () => {} };
});

test('a total is forgotten after its time, and another may be put', async () => {
  const { clock, pass } = manualClock();
  const store = new MemoryCounterStore(clock, { maxAgeMs: 1_000 });
  const key = { id: '1', metric: 1 };
  await store.putNewer([{ ...key, total: 5, revision: 9 }]);
  pass(999);
  expect(await store.read([key])).toEqual([{ total: 5, revision: 9 }]);
  pass(1);
  expect(await store.read([key])).toEqual([undefined]);
  await store.putNewer([{ ...key, total: 5, revision: 9 }]);
  expect(await store.read([key])).toEqual([{ total: 5, revision: 9 }]);
});

test('there are never more than so many; what was put first goes first', async () => {
  const store = new MemoryCounterStore(manualClock().clock, { maxEntries: 10 });
  for (let id = 0; id < 100; id++)
    await store.putNewer([{ id: String(id), metric: 1, total: id, revision: 1 }]);
  const keys = [89, 90, 99].map((id) => ({ id: String(id), metric: 1 }));
  expect((await store.read(keys)).map((total) => total?.total)).toEqual([undefined, 90, 99]);
});
