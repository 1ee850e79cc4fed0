import type { Clock } from '../../../kernel/clock.ts';
import { compareIds } from '../../../kernel/ids.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { Entry, Shelf, TimelineStore } from '../../../ports/timeline-store/port.ts';
import { afterAllIds } from '../../videos/index.ts';
import { withEntry } from './in-flight.ts';
import { newestOfEach } from './store.ts';

/** The newest entries of one author, complete at and above `floor`; `'0'`: to the very first. */
export interface Outbox {
  readonly entries: readonly Entry[];
  readonly floor: string;
  /** Of the entries, once they were asked for; see `numbersOf`. */
  numbers?: Float64Array;
}

export interface HotOutboxesDeps {
  readonly db: Database;
  readonly store: TimelineStore;
  readonly clock: Clock;
  /** What is in flight of an author: it may be missing in the store. */
  readonly inFlightOf: (authorId: string) => readonly Entry[];
  /** Authors whose entries in flight are not known one by one. */
  readonly isCrowded: (authorId: string) => boolean;
  /** These authors were looked for in the store, and were not there. */
  readonly onMissed?: (authorIds: readonly string[]) => void;
  readonly onFailure: (error: unknown) => void;
  /** Entries held over all authors. */
  readonly maxEntries?: number;
}

export const HOT_ENTRIES = 1_000;
const cutAt = 1_250;
const defaultMaxEntries = 400_000;
/** An author without entries takes room as well. */
const overhead = 4;
const maxAgeMs = 10 * 60_000;
/** Authors of one statement or one call to the store. */
const batchSize = 200;
const loadWithinMs = 5_000;

interface Held {
  outbox: Outbox;
  readonly untilMs: number;
}

interface Loading {
  readonly done: Promise<void>;
  readonly heard: Entry[];
}

/**
 * Hot outboxes in this process: they tail what is announced, so that after `catchUp` each is complete. Loaded from the
 * store where it is kept there, else from the database; those asked for at the same time share the statement.
 *
 * Cost: a look-up. Memory is bounded by entries; what was loaded longest ago is dropped first, and after ten minutes.
 */
export class HotOutboxes {
  readonly #deps: HotOutboxesDeps;
  readonly #held = new Map<string, Held>();
  readonly #loading = new Map<string, Loading>();
  #entries = 0;
  loads = 0;

  constructor(deps: HotOutboxesDeps) {
    this.#deps = deps;
  }

  get size(): { readonly authors: number; readonly entries: number } {
    return { authors: this.#held.size, entries: this.#entries };
  }

  nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }

  getIfHere(authorId: string, nowMs = this.nowMs()): Outbox | undefined {
    const held = this.#held.get(authorId);
    if (held === undefined) return undefined;
    if (held.untilMs > nowMs) return held.outbox;
    this.#drop(authorId);
    return undefined;
  }

  /** Brings those that are not here. Afterwards each was here, though under pressure not for long: what is read is answered. */
  async get(authorIds: readonly string[], signal?: AbortSignal): Promise<Map<string, Outbox>> {
    const found = new Map<string, Outbox>();
    const missing: string[] = [];
    const nowMs = this.nowMs();
    for (const id of authorIds) {
      const here = this.getIfHere(id, nowMs);
      if (here) found.set(id, here);
      else missing.push(id);
    }
    if (missing.length === 0) return found;
    const mine: string[] = [];
    const waits = new Set<Promise<void>>();
    for (const id of missing) {
      const loading = this.#loading.get(id);
      if (loading) waits.add(loading.done);
      else mine.push(id);
    }
    for (let at = 0; at < mine.length; at += batchSize)
      waits.add(this.#load(mine.slice(at, at + batchSize), found));
    await Promise.all(waits);
    signal?.throwIfAborted();
    for (const id of missing) {
      if (found.has(id)) continue;
      const here = this.getIfHere(id);
      // Loaded by somebody else and pushed out since.
      if (here) found.set(id, here);
      else await this.#load([id], found);
    }
    return found;
  }

  hear(entry: Entry): void {
    this.#loading.get(entry.authorId)?.heard.push(entry);
    const held = this.#held.get(entry.authorId);
    if (!held) return;
    const { entries, floor } = held.outbox;
    if (compareIds(entry.key, floor) < 0) return;
    const longer = withEntry(entries, entry);
    this.#entries += longer.length - entries.length;
    held.outbox = { entries: longer, floor };
    if (longer.length > cutAt) this.#cut(held);
  }

  /** Everything may lack something. What is being loaded begins anew as well. */
  forget(): void {
    this.#held.clear();
    this.#entries = 0;
    this.#loading.clear();
  }

  async #load(authorIds: readonly string[], found: Map<string, Outbox>): Promise<void> {
    this.loads += 1;
    const loading: Loading = { done: this.#read(authorIds, found), heard: [] };
    for (const id of authorIds) this.#loading.set(id, loading);
    try {
      await loading.done;
    } finally {
      for (const id of authorIds) if (this.#loading.get(id) === loading) this.#loading.delete(id);
    }
  }

  async #read(authorIds: readonly string[], found: Map<string, Outbox>): Promise<void> {
    const { clock, inFlightOf, isCrowded } = this.#deps;
    const flightBefore = new Map(authorIds.map((id) => [id, inFlightOf(id)]));
    const untilMs = clock.monotonicMs() + maxAgeMs;
    const signal = AbortSignal.timeout(loadWithinMs);
    const stored = await this.#readStore(authorIds.filter((id) => !isCrowded(id)));
    const cold = authorIds.filter((id) => !stored.has(id));
    if (cold.length > 0) {
      const rows = await newestOfEach(this.#deps.db, cold, afterAllIds, HOT_ENTRIES, signal);
      const byAuthor = Map.groupBy(rows, ({ authorId }) => authorId);
      for (const id of cold) {
        const entries = byAuthor.get(id) ?? [];
        stored.set(id, { entries, floor: floorOf(entries) });
      }
    }
    for (const id of authorIds) {
      const loading = this.#loading.get(id);
      const outbox = stored.get(id) ?? { entries: [], floor: '0' };
      let { entries } = outbox;
      const heard = loading?.heard.filter(({ authorId }) => authorId === id) ?? [];
      for (const entry of [...(flightBefore.get(id) ?? []), ...inFlightOf(id), ...heard])
        if (compareIds(entry.key, outbox.floor) >= 0) entries = withEntry(entries, entry);
      const complete = { entries, floor: outbox.floor };
      found.set(id, complete);
      // Forgotten meanwhile: it may lack what was announced before.
      if (loading) this.#keep(id, { outbox: complete, untilMs });
    }
  }

  async #readStore(authorIds: readonly string[]): Promise<Map<string, Outbox>> {
    const found = new Map<string, Outbox>();
    if (authorIds.length === 0) return found;
    try {
      const shelves = authorIds.map((ownerId): Shelf => ({ kind: 'outbox', ownerId }));
      const pages = await this.#deps.store.read(shelves.map((shelf) => ({ shelf, limit: HOT_ENTRIES })));
      for (const [at, page] of pages.entries()) {
        if (page.state !== 'ready') continue;
        const floor = page.hasMore ? (page.entries.at(-1)?.key ?? page.floor) : page.floor;
        found.set(authorIds[at]!, { entries: page.entries, floor });
      }
      this.#deps.onMissed?.(authorIds.filter((id) => !found.has(id)));
    } catch (error) {
      this.#deps.onFailure(error);
    }
    return found;
  }

  #keep(authorId: string, held: Held): void {
    this.#drop(authorId);
    this.#held.set(authorId, held);
    this.#entries += held.outbox.entries.length + overhead;
    const max = this.#deps.maxEntries ?? defaultMaxEntries;
    for (const oldest of this.#held.keys()) {
      if (this.#entries <= max || oldest === authorId) break;
      this.#drop(oldest);
    }
  }

  #drop(authorId: string): void {
    const held = this.#held.get(authorId);
    if (!held) return;
    this.#held.delete(authorId);
    this.#entries -= held.outbox.entries.length + overhead;
  }

  #cut(held: Held): void {
    const entries = held.outbox.entries.slice(0, HOT_ENTRIES);
    this.#entries -= held.outbox.entries.length - entries.length;
    held.outbox = { entries, floor: entries.at(-1)!.key };
  }
}

/** What so many entries of an author, read at once, are complete down to. */
export function floorOf(entries: readonly Entry[]): string {
  return entries.length < HOT_ENTRIES ? '0' : entries.at(-1)!.key;
}
