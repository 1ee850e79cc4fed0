import { expect, test } from 'bun:test';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { shareCosts } from '../../src/features/timeline/index.ts';
import { Costs } from '../../src/features/timeline/tuning/costs.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { testLog } from '../support/database.ts';

test('a worker that never pulls knows what a pull costs where pages are read, and the other way round', async () => {
  const turns: (() => unknown)[] = [];
  const clock: Clock = {
    ...systemClock,
    every: (_ms, run) => {
      turns.push(run);
      return { [Symbol.dispose]: () => undefined };
    },
  };
  const bus = new MemoryBus();
  const [worker, api] = [new Costs(), new Costs()];
  await using _worker = await shareCosts(worker, { clock, log: testLog, bus, nodeName: 'worker' });
  await using _api = await shareCosts(api, { clock, log: testLog, bus, nodeName: 'api' });
  worker.notePushes(100_000, 5_000);
  api.notePulls(100_000, 20_000);
  for (const turn of turns) await turn();
  for (const costs of [worker, api]) {
    expect(costs.pushMs).toBeCloseTo(0.05, 4);
    expect(costs.pullMs).toBeCloseTo(0.2, 4);
    expect(costs.ratio).toBeCloseTo(0.25, 3);
  }
  const before = worker.pullMs;
  worker.notePulls(1, 10);
  expect(worker.pullMs).toBeGreaterThan(before);
  // Each measurement is told once.
  const heard = api.pushMs;
  for (const turn of turns) await turn();
  expect(api.pushMs).toBe(heard);
});
