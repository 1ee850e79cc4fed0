import type { MessageStore, Send, StoredMessage, Verdict } from '../../../src/ports/message-store/port.ts';

/** What a run leaves out, to see that the checks notice. */
export interface Faults {
  /** A receipt is given before the commit, which a crash of the database then undoes. */
  readonly ackBeforeCommit?: boolean;
  /** What a chain has sent before is stored again. */
  readonly lostDedupe?: boolean;
  /** Messages are told by the time at which they were sent. */
  readonly orderByTime?: boolean;
  /** Who clears the storage begins again with the same names, and nobody compares what was said under a number. */
  readonly swallowedReset?: boolean;
}

/** The store as a faulty server uses it. */
export function faultyMessages(faults: Faults, store: MessageStore): MessageStore {
  return {
    heads: (ids, options) => store.heads(ids, options),
    read: async (ranges, options) => {
      const runs = await store.read(ranges, options);
      if (faults.orderByTime) for (const run of runs) sortByTime(run);
      return runs;
    },
    commit: (sends) => {
      if (faults.ackBeforeCommit) return commitLater(store, sends);
      if (faults.lostDedupe) return store.commit(sends.map(withoutTurn));
      return store.commit(faults.swallowedReset ? sends.map(withoutHash) : sends);
    },
  };
}

/** The seqs that it should get, told before it has them. */
async function commitLater(store: MessageStore, sends: readonly Send[]): Promise<Verdict[]> {
  const heads = new Map(await store.heads(sends.map(({ conversationId }) => conversationId)));
  store.commit(sends).catch(() => {});
  return sends.map(({ conversationId, id, timestampMs }) => {
    const seq = (heads.get(conversationId) ?? 0) + 1;
    heads.set(conversationId, seq);
    return { kind: 'stored', seq, id, timestampMs, quoteSeq: null, isDuplicate: false };
  });
}

const withoutHash = (send: Send): Send => ({ ...send, bodyHash: '0' });

const withoutTurn = ({ turn: _, ...send }: Send): Send => send;

function sortByTime(run: StoredMessage[]): void {
  const seqs = run.map(({ seq }) => seq);
  run.sort((a, b) => a.timestampMs - b.timestampMs);
  for (const [at, seq] of seqs.entries()) run[at] = { ...run[at]!, seq };
}
