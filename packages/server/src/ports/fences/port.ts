import type { MaybePromise } from '../../kernel/maybe-promise.ts';

/**
 * Names of what was withdrawn, shared by all nodes: what makes a removal hold from the next request on, whatever is cached.
 *
 * Guarantees
 * - When `raise` has resolved, every `isRaised` and `raisedAmong` that starts later, on any node, answers true for that name.
 * - A node that starts, or may have missed something, reads all of them from the truth before it answers. When it cannot hear
 *   what is new, it asks the truth for each name.
 * - `hasHeard` looks at what this node knows: as good as `isRaised` for whoever has just caught up with the announcements.
 * - Durability: none of its own. Every fence is also a row of `fence`, written in the transaction that withdraws.
 *
 * Units and limits: a name has at most 100 characters. A node keeps names for three days, longer than any cache keeps what
 * they withdraw: some 200 bytes each.
 * Errors: `timeout` when the news cannot be reached (for `raise`: outcome unknown).
 * Cost: one round trip, shared by all who ask in one turn; none where all is in this process, which then answers at once,
 * without a promise. `hasHeard`: nothing.
 */
export interface Fences {
  raise(names: readonly string[], options?: FenceOptions): Promise<void>;
  isRaised(name: string, options?: FenceOptions): MaybePromise<boolean>;
  /** Those of `names` that are raised, in their order. */
  raisedAmong(names: readonly string[], options?: FenceOptions): MaybePromise<readonly string[]>;
  hasHeard(name: string): boolean;
  /** Grows when this node hears of fences: as long as it stays, whatever had not been heard has not been heard. */
  readonly heardTimes: number;
}

export interface FenceOptions {
  readonly signal?: AbortSignal | undefined;
}

/** All fences that may still be needed, from the truth. */
export type LoadFences = () => Promise<readonly string[]>;

/** Which of these names are raised, from the truth. */
export type ReadFences = (names: readonly string[]) => Promise<ReadonlySet<string>>;
