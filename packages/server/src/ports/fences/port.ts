import type { MaybePromise } from '../../kernel/maybe-promise.ts';

/**
 * Names of what was withdrawn, shared by all nodes: what makes a removal hold from the next request on, whatever is cached.
 *
 * Guarantees
 * - When `raise` has resolved, every `isRaised` that starts later, on any node, answers true for that name.
 * - A store that comes up empty, or has lost writes, is filled from the truth before it answers.
 * - Durability: none of its own. Every fence is also a row of `fence`, written in the transaction that withdraws.
 *
 * Units and limits: a name has at most 100 characters. Fences older than any cache are forgotten.
 * Errors: `timeout` when the store cannot be reached (for `raise`: outcome unknown).
 * Cost: one round trip; none where the store is in this process, which then answers at once, without a promise.
 */
export interface Fences {
  raise(names: readonly string[], options?: FenceOptions): Promise<void>;
  isRaised(name: string, options?: FenceOptions): MaybePromise<boolean>;
}

export interface FenceOptions {
  readonly signal?: AbortSignal | undefined;
}

/** All fences that may still be needed, from the truth. */
export type LoadFences = () => Promise<readonly string[]>;
