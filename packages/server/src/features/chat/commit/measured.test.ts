import { expect, test } from 'bun:test';
import { systemClock as clock } from '../../../kernel/clock.ts';
import { AppError } from '../../../kernel/errors.ts';
import { Metrics } from '../../../kernel/metrics.ts';
import type { Send, Verdict } from '../../../ports/message-store/port.ts';
import { measured } from './measured.ts';

const send = (n: number): Send => ({
  ...{ conversationId: '1', senderId: '2', deviceId: '3', id: String(n), timestampMs: n },
  ...{ body: '{}', bodyHash: '0' },
});

test('batches, what they took and what became of each message are told', async () => {
  const metrics = new Metrics();
  const stored = {
    kind: 'stored',
    seq: 1,
    id: '1',
    timestampMs: 1,
    quoteSeq: null,
    isDuplicate: false,
  } as const;
  let verdicts: Verdict[] | undefined = [
    stored,
    { ...stored, isDuplicate: true },
    { kind: 'refused', code: 'blocked', isDuplicate: false },
  ];
  const store = measured(
    {
      commit: async () => verdicts ?? Promise.reject(new AppError('timeout')),
      read: async () => [],
      heads: async () => new Map([['1', 5]]),
    },
    clock,
    metrics,
  );
  expect(await store.commit([send(1), send(2), send(3)])).toEqual(verdicts!);
  verdicts = undefined;
  await expect(store.commit([send(4)])).rejects.toThrow();
  expect(await store.heads(['1'])).toEqual(new Map([['1', 5]]));
  const lines = (await metrics.text()).split('\n');
  expect(lines).toContain('hvideo_chat_commit_seconds_count{outcome="answered"} 1');
  expect(lines).toContain('hvideo_chat_commit_seconds_count{outcome="failed"} 1');
  expect(lines).toContain('hvideo_chat_commit_sends_bucket{le="2",outcome="answered"} 0');
  expect(lines).toContain('hvideo_chat_commit_sends_bucket{le="5",outcome="answered"} 1');
  expect(lines).toContain('hvideo_chat_commit_sends_sum{outcome="answered"} 3');
  for (const [kind, count] of Object.entries({ stored: 1, duplicate: 1, refused: 1, conflict: 0 }))
    expect(lines).toContain(`hvideo_chat_verdicts_total{kind="${kind}"} ${count}`);
});
