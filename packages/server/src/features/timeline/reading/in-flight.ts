import type { Clock } from '../../../kernel/clock.ts';
import { compareIds } from '../../../kernel/ids.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import { ENTRY_KIND, readEntry, SETTLED_KIND } from '../facts.ts';

export interface InFlightDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly announcements: Announcements;
  /** Each entry, when it is heard. */
  readonly onEntry: (entry: Entry) => void;
  /** Entries may have been missed. */
  readonly onReset: () => void;
  readonly maxEntries?: number;
}

const defaultMaxEntries = 50_000;
/** How long an entry is believed to be in flight before the table is asked whether it still is. */
const believedMs = 120_000;
const askEveryMs = 30_000;
const askAtOnce = 1_000;
const none: readonly Entry[] = [];

/**
 * What is in flight, as this node has heard it: entries that may be missing in inboxes and outboxes.
 *
 * Guarantees: after `catchUp`, every entry announced before and not settled is in `of(author)`, or the author is in
 * `crowded`. Bounded: beyond `maxEntries`, authors are kept instead of entries.
 */
export class InFlight {
  readonly #deps: InFlightDeps;
  #byKey = new Map<string, { readonly entry: Entry; readonly heardMs: number }>();
  #byAuthor = new Map<string, readonly Entry[]>();
  #crowded = new Set<string>();
  #askedMs = 0;

  constructor(deps: InFlightDeps) {
    this.#deps = deps;
    deps.announcements.follow(ENTRY_KIND, {
      hear: (texts) => this.#hear(texts.map(readEntry)),
      reset: () => this.#reset(),
    });
    deps.announcements.follow(SETTLED_KIND, {
      hear: (keys) => {
        for (const key of keys) this.#settle(key);
      },
      // The entries begin anew, and tell what is not settled.
      reset: async () => {},
    });
  }

  /** Newest first. */
  of(authorId: string): readonly Entry[] {
    return this.#byAuthor.get(authorId) ?? none;
  }

  get authors(): ReadonlyMap<string, readonly Entry[]> {
    return this.#byAuthor;
  }

  /** Authors with so much in flight that their outboxes have to be read, and from the database. */
  get crowded(): ReadonlySet<string> {
    return this.#crowded;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** In the background: forgets what has left without this node hearing of it. */
  async reconcile(signal?: AbortSignal): Promise<void> {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#askedMs < askEveryMs) return;
    this.#askedMs = nowMs;
    const old: string[] = [];
    for (const [key, { heardMs }] of this.#byKey) {
      if (nowMs - heardMs > believedMs) old.push(key);
      if (old.length === askAtOnce) break;
    }
    const { sql } = this.#deps.db;
    if (old.length > 0) {
      const rows = await sql<{ key: string }>`
        select key from fanout where key = any(${sql.array(old, 'int8')})`.withSignal(signal);
      const there = new Set(rows.map(({ key }) => key));
      for (const key of old) if (!there.has(key)) this.#settle(key);
    }
    if (this.#crowded.size === 0) return;
    const rows = await sql<{ id: string }>`
      select distinct author_id as id from fanout
      where author_id = any(${sql.array([...this.#crowded], 'int8')})`.withSignal(signal);
    const there = new Set(rows.map(({ id }) => id));
    for (const author of [...this.#crowded]) if (!there.has(author)) this.#crowded.delete(author);
  }

  /**
   * What was known stays until what is true has been read: a page that has caught up before goes on meanwhile, and what is
   * in flight for longer than it is only merged in vain.
   */
  async #reset(): Promise<void> {
    this.#deps.onReset();
    const { sql } = this.#deps.db;
    const limit = this.#deps.maxEntries ?? defaultMaxEntries;
    const rows = await sql<Entry>`
      select key, author_id as "authorId", video_id as "videoId" from fanout order by key desc limit ${limit + 1}`;
    const isMore = rows.length > limit;
    const crowded = isMore ? await sql<{ id: string }>`select distinct author_id as id from fanout` : [];
    this.#byKey = new Map();
    this.#byAuthor = new Map();
    this.#crowded = new Set(crowded.map(({ id }) => id));
    this.#hear(rows.slice(0, limit).reverse());
  }

  #hear(entries: readonly Entry[]): void {
    const heardMs = this.#deps.clock.monotonicMs();
    for (const entry of entries) {
      this.#deps.onEntry(entry);
      if (this.#byKey.has(entry.key)) continue;
      if (this.#byKey.size >= (this.#deps.maxEntries ?? defaultMaxEntries)) {
        this.#crowded.add(entry.authorId);
        continue;
      }
      this.#byKey.set(entry.key, { entry, heardMs });
      this.#byAuthor.set(entry.authorId, withEntry(this.of(entry.authorId), entry));
    }
  }

  #settle(key: string): void {
    const known = this.#byKey.get(key);
    if (!known) return;
    this.#byKey.delete(key);
    const { authorId } = known.entry;
    const left = this.of(authorId).filter((entry) => entry.key !== key);
    if (left.length > 0) this.#byAuthor.set(authorId, left);
    else this.#byAuthor.delete(authorId);
  }
}

/** Entries, newest first, with one more at its place; the same when it is there already. */
export function withEntry(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  let at = 0;
  // News are the newest, nearly always.
  while (at < entries.length && compareIds(entries[at]!.key, entry.key) > 0) at += 1;
  if (entries[at]?.key === entry.key) return entries;
  return [...entries.slice(0, at), entry, ...entries.slice(at)];
}
