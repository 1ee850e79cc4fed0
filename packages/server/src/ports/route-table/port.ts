import type { MaybePromise } from '../../kernel/maybe-promise.ts';

/**
 * Which nodes hold sockets of which account.
 *
 * Purpose: a message goes to the nodes where somebody waits for it, and to no other. An optimisation of telling everybody: an
 * entry that is missing costs time (the recipient finds the gap and reads it), never a message.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - Visibility: when `add` has resolved, each `nodesOf` that begins later, on any node, answers the node, until it is
 *   removed, its time has passed, or the table has lost it.
 * - Generation: what a node added under an earlier generation (a process before it, of the same number) is not answered once
 *   the later one has added anything, and cannot take out what the later one added.
 * - Expiry: an entry that is not renewed within `ttlMs` is gone. `renew` keeps all entries of this node.
 * - Loss: after the table has lost entries, the first `renew` answers false, and the node adds them again.
 *
 * Units and limits: at most `MAX_ACCOUNTS` accounts a call; grows with accounts that are there.
 * Errors: `timeout` (outcome unknown) when the table cannot be reached.
 * Cost: one round trip a call; none where no other node can be.
 */
export interface RouteTable extends AsyncDisposable {
  /** There can be no other node: nobody need be asked for. */
  readonly isAlone: boolean;
  add(accountIds: readonly string[]): MaybePromise<void>;
  remove(accountIds: readonly string[]): MaybePromise<void>;
  renew(): MaybePromise<boolean>;
  /** For each account the nodes other than this one, by their names on the bus. */
  nodesOf(accountIds: readonly string[]): MaybePromise<readonly (readonly string[])[]>;
}

/** Who a node is in the table. */
export interface NodeIdentity {
  /** Leased; a process that comes later may have the same. */
  readonly node: number;
  /** Of two processes of one number, the later one has the larger generation. */
  readonly generation: number;
}

export const MAX_ACCOUNTS = 10_000;
