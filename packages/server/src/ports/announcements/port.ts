import type { MaybePromise } from '../../kernel/maybe-promise.ts';

/**
 * Small facts that every page must have heard before it answers, in one order, for all nodes: what was withdrawn, whose
 * graph has changed, which video may be for other people now, which entry is on its way into inboxes.
 *
 * Purpose: each node keeps what it has heard in its own memory, and asks only for news. So a page pays one look at the end
 * of the log, shared by all pages of the same turn, however many facts it depends on.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - Linearizable: when `announce` has resolved, every `catchUp` that begins later, on any node, resolves only after the
 *   follower of that node has heard the record, or has begun anew since (`reset`).
 * - Ordering: all nodes hear all records in the same order; the records of one `announce` are neighbours.
 * - Reset: `reset` is called before a follower hears anything, and whenever records may have been missed (the log was
 *   lost or cut, the node was away for longer than it reaches). A record whose `announce` resolves after `reset` was
 *   called is heard after it, none during it. No `catchUp` resolves while a reset is under way or has failed; the next one
 *   tries again. When one follower is reset, all are. `beginAnew` has this done on every node: for whoever may have missed
 *   what had to be announced.
 * - Delivery: at least once; a record may be heard again. A record whose `announce` failed may or may not be heard.
 * - Durability: none. Whatever is announced also follows from the truth, from which `reset` reads it.
 *
 * Units and limits: a text has at most `MAX_TEXT` characters, one `announce` at most `MAX_ANNOUNCED` records; the log reaches
 * back `MIN_RECORDS` records at least.
 * Errors: `timeout` when the log cannot be reached (for `announce`: outcome unknown); `catchUp` also rejects with what a
 * `reset` has failed with. An abort of `signal` rejects with its reason, for this caller alone. A follower must not throw in
 * `hear` and must not block.
 * Cost: one round trip; none where the log is in this process, which is then caught up with at once, without a promise.
 */
export interface Announcements {
  /** To be called before the first `catchUp`; one follower for each kind. */
  follow(kind: string, follower: Follower): void;
  announce(records: readonly Announcement[], options?: AnnouncementOptions): Promise<void>;
  catchUp(options?: AnnouncementOptions): MaybePromise<void>;
  /** Every node resets its followers before its next `catchUp` resolves. */
  beginAnew(options?: AnnouncementOptions): Promise<void>;
}

export interface Announcement {
  /** Up to 20 letters and hyphens. */
  readonly kind: string;
  readonly text: string;
}

export interface Follower {
  /** Texts of its kind, in order. */
  hear(texts: readonly string[]): void;
  /** Begins anew from the truth. Rejecting repeats it with the next `catchUp`. */
  reset(): Promise<void>;
}

export interface AnnouncementOptions {
  readonly signal?: AbortSignal | undefined;
}

export const MAX_TEXT = 300;
export const MAX_ANNOUNCED = 1_000;
export const MIN_RECORDS = 50_000;
