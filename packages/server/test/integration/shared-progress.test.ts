import { expect, test } from 'bun:test';
import type { TranscodeProgress } from '@hvideo/protocol';
import pino from 'pino';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { SharedProgress } from '../../src/features/videos/index.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { eventually } from '../support/eventually.ts';

const at = (percent: number, status: TranscodeProgress['status'] = 'processing'): TranscodeProgress => ({
  ...{ stage: 'renditions', percent, etaMs: null, status, renditions: [], failure: null },
});

test('what one process works on is told where it is waited for, each state at most once, and forgotten at its end', async () => {
  const bus = new MemoryBus();
  const shared = { clock: systemClock, log: pino({ level: 'silent' }), bus };
  await using worker = await SharedProgress.open({ ...shared, nodeName: 'worker' });
  await using api = await SharedProgress.open({ ...shared, nodeName: 'api' });
  const heard: Record<'worker' | 'api', number[]> = { worker: [], api: [] };
  using _near = worker.subscribe('7', ({ percent }) => heard.worker.push(percent));
  using _far = api.subscribe('7', ({ percent }) => heard.api.push(percent));
  for (const percent of [1, 2, 3]) worker.publish('7', at(percent));
  await eventually(async () => heard.api.length > 0);
  expect(heard).toEqual({ worker: [1, 2, 3], api: [3] });
  expect(api.latest('7')?.percent).toBe(3);
  worker.publish('7', at(100, 'ready'));
  worker.forget('7');
  await eventually(async () => heard.api.length > 1);
  expect(heard).toEqual({ worker: [1, 2, 3, 100], api: [3, 100] });
  expect([worker.latest('7'), api.latest('7')]).toEqual([undefined, undefined]);
});
