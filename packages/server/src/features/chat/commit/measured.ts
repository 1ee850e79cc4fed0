import type { Clock } from '../../../kernel/clock.ts';
import type { Metrics } from '../../../kernel/metrics.ts';
import type { MessageStore, Send, Verdict } from '../../../ports/message-store/port.ts';

type Commits = Pick<MessageStore, 'commit'>;
type Told = Verdict['kind'] | 'duplicate';

const batchBounds = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** The same store, whose commits are counted: once a batch, and the verdicts as plain numbers. */
export function measured(messages: MessageStore, clock: Clock, metrics: Metrics): MessageStore {
  const seconds = metrics.durations('chat_commit_seconds', 'Time to the verdicts of a batch', 'outcome');
  const sizes = metrics.sizes('chat_commit_sends', 'Messages in a batch', 'outcome', batchBounds);
  const answered = { took: seconds.of('answered'), held: sizes.of('answered') };
  const failed = { took: seconds.of('failed'), held: sizes.of('failed') };
  const verdicts: Record<Told, number> = {
    ...{ stored: 0, duplicate: 0, refused: 0, conflict: 0 },
    ...{ 'out-of-turn': 0, 'quote-awaited': 0 },
  };
  metrics.counter(
    'chat_verdicts_total',
    'What became of messages that were given to the store',
    ['kind'],
    () => Object.entries(verdicts).map(([kind, count]) => [{ kind }, count] as const),
  );
  const commit: Commits['commit'] = async (sends: readonly Send[]) => {
    const startedMs = clock.monotonicMs();
    let outcome = failed;
    try {
      const given = await messages.commit(sends);
      outcome = answered;
      for (const verdict of given) verdicts[kindOf(verdict)] += 1;
      return given;
    } finally {
      outcome.took((clock.monotonicMs() - startedMs) / 1000);
      outcome.held(sends.length);
    }
  };
  return {
    commit,
    read: (ranges, options) => messages.read(ranges, options),
    heads: (conversationIds, options) => messages.heads(conversationIds, options),
  };
}

const kindOf = (verdict: Verdict): Told =>
  'isDuplicate' in verdict && verdict.isDuplicate ? 'duplicate' : verdict.kind;
