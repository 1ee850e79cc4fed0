import type { MaybePromise } from '../../kernel/maybe-promise.ts';

/**
 * Materialised timelines: for each reader an inbox, for each author a hot outbox. Both are **shelves**: a bounded set of
 * entries, newest first by key, under a header that says down to where the set is complete.
 *
 * Purpose: a page of a reader who follows thousands is one read. An optimisation: losing a shelf, or all, loses nothing.
 *
 * A shelf is `cold` (there is no header of this store's generation), `building`, or `ready`. What is pushed is kept only
 * where a header is, so that nobody pays for those who never read.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - Completeness: a `ready` shelf holds every entry at or above its floor that was pushed to it, or merged into it, after
 *   the `begin` that it goes back to. The floor only rises. A push below the floor changes nothing.
 * - Building: `begin` makes an empty shelf and answers a token; pushes are kept from then on. `merge` with that token and
 *   `isLast` makes it `ready`; a shelf that was lost, dropped or begun anew meanwhile refuses it (`false`). The floor is
 *   the highest `completeDownTo` of all merges since `begin`.
 * - Capacity: a shelf that outgrows its capacity by a quarter is cut back to it, and its floor rises to its oldest entry.
 * - Idempotency: an entry is there once, however often it is pushed, merged or taken out.
 * - Generation: a store that has lost writes which it acknowledged answers `cold` for every shelf from before.
 * - Atomicity: each shelf on its own. A read sees all or nothing of a push of several entries to one shelf, of a merge, of a cut.
 * - Durability: none promised beyond the generation rule. A `kill -9` of this process loses nothing acknowledged.
 *
 * Units and limits: keys and ids are decimal, 63 bits; a capacity is at most `MAX_CAPACITY`; a call touches at most
 * `MAX_PUSHES` pairs. Memory or disk grows with begun shelves only; those that nobody has read for `idleMs` are dropped.
 * Errors: `timeout` (outcome unknown) when the store cannot be reached; `no-space` when it may not grow any more. A call
 * that breaks a limit is a bug: RangeError. An abort rejects with the signal's reason; pushes that were done stay.
 * Cost: one round trip a call; a push costs O(log capacity) for each pair.
 */
export interface TimelineStore {
  begin(shelf: Shelf, capacity: number, options?: TimelineStoreOptions): Promise<string>;
  /** False when the shelf is cold or, with a token, was begun anew. Without a token: into whatever is there. */
  merge(shelf: Shelf, merge: Merge, options?: TimelineStoreOptions): Promise<boolean>;
  push(pushes: readonly Push[], options?: TimelineStoreOptions): Promise<void>;
  /** The newest entries below `before`, up to `limit`, at once where the store is in this process; entries below the floor are never among them. */
  read(shelves: readonly ShelfRead[], options?: TimelineStoreOptions): MaybePromise<ShelfPage[]>;
  /** Takes single entries out, wherever they are. */
  remove(removals: readonly Removal[], options?: TimelineStoreOptions): Promise<void>;
  drop(shelves: readonly Shelf[], options?: TimelineStoreOptions): Promise<void>;
  stats(): Promise<TimelineStoreStats>;
}

/** Something that one account published: its own video, or the repost of another's. */
export interface Entry {
  /** Orders everything: the video's feed key, or the repost's id. Unique. */
  readonly key: string;
  /** Who published it: the followee. */
  readonly authorId: string;
  readonly videoId: string;
}

export type ShelfKind = 'inbox' | 'outbox';

export interface Shelf {
  readonly kind: ShelfKind;
  /** The reader, or the author. */
  readonly ownerId: string;
}

export interface Merge {
  readonly entries: readonly Entry[];
  /** The entries are all that belong here at or above this key; `'0'`: all there are. */
  readonly completeDownTo: string;
  readonly token?: string | undefined;
  readonly isLast?: boolean;
}

export interface Push {
  readonly shelf: Shelf;
  readonly entry: Entry;
}

export interface ShelfRead {
  readonly shelf: Shelf;
  /** Exclusive; undefined: from the newest on. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface ShelfPage {
  readonly state: 'cold' | 'building' | 'ready';
  /** `'0'` when it is complete to the very first entry. Meaningless unless `ready`. */
  readonly floor: string;
  /** Newest first. Shared with other callers: never to be modified. Empty unless `ready`. */
  readonly entries: readonly Entry[];
  /** Entries of the shelf below the last of `entries` exist at or above the floor. */
  readonly hasMore: boolean;
}

export interface Removal {
  readonly shelf: Shelf;
  readonly key: string;
}

export interface TimelineStoreStats {
  readonly generation: string;
  readonly shelves: number | undefined;
  readonly entries: number | undefined;
  readonly bytes: number | undefined;
}

export interface TimelineStoreOptions {
  readonly signal?: AbortSignal | undefined;
}

export const MAX_CAPACITY = 1_000;
export const MAX_PUSHES = 10_000;
