import { compareIds } from '../../../kernel/ids.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { ShelfPage, ShelfRead, TimelineStore } from '../../../ports/timeline-store/port.ts';
import { afterAllIds } from '../../videos/index.ts';
import { PUSH, type ReaderGraph } from './graphs.ts';
import type { InFlight } from './in-flight.ts';
import { type InboxView, type InboxViews, mayShow } from './inbox-views.ts';
import type { HotOutboxes, Outbox } from './outboxes.ts';
import { Merge, numbersOf, type Source } from './sources.ts';
import { newestOfAll } from './store.ts';

export interface WalkDeps {
  readonly db: Database;
  readonly store: TimelineStore;
  readonly inFlight: InFlight;
  readonly outboxes: HotOutboxes;
  readonly views: InboxViews;
  readonly onFailure: (error: unknown) => void;
  /** The inbox of this reader is not there, and some of their edges are pushed. */
  readonly onCold: (readerId: string) => void;
  /** So many outboxes were had for one page. */
  readonly onPulled: (outboxes: number, tookMs: number) => void;
  /** A page has come to the end of the inbox: the next ones need the outboxes of these followees. */
  readonly onNearFloor: (readerId: string, followeeIds: readonly string[]) => void;
  /** A page goes on below the inbox. */
  readonly onBelowFloor: (readerId: string) => void;
}

/** Entries of the inbox read for a page: some are filtered out, or come from elsewhere. */
const INBOX_READ = 32;
/** Outboxes brought into this process for one page. */
const MAX_LOADS = 500;
/** Entries below hot outboxes that one statement brings: ten pages. */
const DEEP_READ = 200;
/** It is not to be made anew for that. */
const unreadable: ShelfPage = { state: 'building', floor: '0', entries: [], hasMore: false };
const cold: ShelfPage = { state: 'cold', floor: '0', entries: [], hasMore: false };

/**
 * The entries of everybody whom a reader follows, below `before`, newest first: from the inbox, what is in flight and the
 * outboxes that are pulled; below the inbox from all outboxes, first the hot ones, then the database.
 *
 * To be called after `catchUp`, with a graph that was had after it. `early`: the inbox, asked for when that graph was here.
 */
export async function walk(
  deps: WalkDeps,
  readerId: string,
  graph: ReaderGraph,
  before: string,
  signal: AbortSignal | undefined,
  early?: Promise<ShelfPage>,
): Promise<Merge> {
  // What leaves flight was pushed long before: longer than any page takes.
  const flying = flyingOf(deps.inFlight, graph);
  const inbox = graph.hasPushed ? await (early ?? readInbox(deps, readerId, before, signal)) : cold;
  if (inbox.state !== 'ready' || compareIds(inbox.floor, before) >= 0) {
    if (graph.hasPushed && inbox.state === 'cold') deps.onCold(readerId);
    const all = await outboxSources(deps, [...graph.modes.keys()], before, signal);
    return new Merge([...flying, ...all], before);
  }
  if (!inbox.hasMore && inbox.floor !== '0') deps.onNearFloor(readerId, pushedOf(graph));
  const pulled = pulledOf(deps.inFlight, graph);
  const startedMs = performance.now();
  const sources = pulled.length === 0 ? [] : await outboxSources(deps, pulled, before, signal);
  deps.onPulled(pulled.length, performance.now() - startedMs);
  return new Merge([...flying, inboxSource(deps, readerId, graph, inbox, signal), ...sources], before);
}

/** A reader of whom all but what is in the store is in this process. */
export interface ReaderHere {
  readonly readerId: string;
  readonly graph: ReaderGraph;
  readonly nowMs: number;
  /** When it had to be waited for. */
  readonly inbox?: ShelfPage | undefined;
}

/** The newest of a page that comes from the inbox alone. */
export interface InboxTop {
  readonly view: InboxView;
  /** There is nothing below them. */
  readonly isWhole: boolean;
  readonly inbox: ShelfPage;
}

/** At once, when all of it is in this process, or the inbox has been read; undefined when it is not. */
export function walkHere(
  deps: WalkDeps,
  { readerId, graph, nowMs, inbox: read }: ReaderHere,
  before: string,
): Merge | InboxTop | undefined {
  const { inFlight } = deps;
  const sources = flyingOf(inFlight, graph);
  let wanted: Iterable<string> = graph.modes.keys();
  if (graph.hasPushed) {
    const inbox = read ?? inboxHere(deps, readerId, before);
    if (inbox?.state !== 'ready') return undefined;
    if (compareIds(inbox.floor, before) < 0) {
      if (!inbox.hasMore && inbox.floor !== '0') return undefined;
      const pulled = pulledOf(inFlight, graph);
      if (sources.length === 0 && pulled.length === 0 && before === afterAllIds)
        return { view: deps.views.of(graph, inbox.entries), isWhole: !inbox.hasMore, inbox };
      sources.push(inboxSource(deps, readerId, graph, inbox, undefined));
      wanted = pulled;
    }
  }
  for (const id of wanted) {
    const outbox = deps.outboxes.getIfHere(id, nowMs);
    if (!outbox) return undefined;
    if (mayShow(graph, id)) addOutbox(sources, deps, id, outbox, undefined);
  }
  return new Merge(sources, before);
}

/** The same for whoever has to look at each entry. */
export const mergeOf = (
  deps: WalkDeps,
  { readerId, graph }: { readerId: string; graph: ReaderGraph },
  { inbox }: InboxTop,
): Merge => new Merge([inboxSource(deps, readerId, graph, inbox, undefined)], afterAllIds);

function pulledOf({ crowded }: InFlight, { modes, pulled }: ReaderGraph): readonly string[] {
  if (crowded.size === 0) return pulled;
  return [...pulled, ...[...crowded].filter((id) => modes.get(id) === PUSH)];
}

const pushedOf = ({ modes }: ReaderGraph): string[] =>
  [...modes].flatMap(([id, mode]) => (mode === PUSH ? [id] : []));

const inboxRead = (readerId: string, before: string): ShelfRead => ({
  shelf: { kind: 'inbox', ownerId: readerId },
  before: before === afterAllIds ? undefined : before,
  limit: INBOX_READ,
});

/** Undefined when it is not in this process, or cannot be read: `walk` asks again, and knows another way. */
function inboxHere({ store, onFailure }: WalkDeps, readerId: string, before: string): ShelfPage | undefined {
  try {
    const pages = store.read([inboxRead(readerId, before)]);
    if (!(pages instanceof Promise)) return pages[0];
    // Nobody waits for it.
    pages.catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
  return undefined;
}

/** Passes for one that is being made when it cannot be read. */
export async function readInbox(
  { store, onFailure }: WalkDeps,
  readerId: string,
  before: string,
  signal: AbortSignal | undefined,
): Promise<ShelfPage> {
  try {
    const read = store.read([inboxRead(readerId, before)], { signal });
    const [page] = read instanceof Promise ? await read : read;
    return page ?? cold;
  } catch (error) {
    signal?.throwIfAborted();
    // Whatever is in it is in the outboxes as well.
    onFailure(error);
    return unreadable;
  }
}

function inboxSource(
  deps: WalkDeps,
  readerId: string,
  graph: ReaderGraph,
  { entries, hasMore, floor }: ShelfPage,
  signal: AbortSignal | undefined,
): Source {
  const last = entries.at(-1)?.key;
  if (hasMore && last !== undefined) {
    return {
      ...{ entries, floor: last },
      extend: async () => {
        const page = await readInbox(deps, readerId, last, signal);
        // Gone or cut meanwhile: the outboxes have it all.
        if (page.state !== 'ready' || compareIds(page.floor, last) >= 0) return pushedSources(last);
        return [inboxSource(deps, readerId, graph, page, signal)];
      },
    };
  }
  return floor === '0' ? { entries, floor } : { entries, floor, extend: () => pushedSources(floor) };

  function pushedSources(below: string): Promise<Source[]> {
    deps.onBelowFloor(readerId);
    return outboxSources(deps, pushedOf(graph), below, signal);
  }
}

/** Those who follow very many, and were not here for long, get their page from one statement. */
async function outboxSources(
  deps: WalkDeps,
  authorIds: readonly string[],
  before: string,
  signal: AbortSignal | undefined,
): Promise<Source[]> {
  const { outboxes } = deps;
  const nowMs = outboxes.nowMs();
  const missing = authorIds.filter((id) => !outboxes.getIfHere(id, nowMs));
  if (missing.length > MAX_LOADS) {
    const missed = new Set(missing);
    const here = authorIds.filter((id) => !missed.has(id));
    const [others, deep] = await Promise.all([
      outboxSources(deps, here, before, signal),
      deepSource(deps, missing, before, signal),
    ]);
    return [...others, deep];
  }
  const sources: Source[] = [];
  for (const [authorId, outbox] of await outboxes.get(authorIds, signal))
    addOutbox(sources, deps, authorId, outbox, signal);
  return sources;
}

function addOutbox(
  sources: Source[],
  deps: WalkDeps,
  authorId: string,
  outbox: Outbox,
  signal: AbortSignal | undefined,
): void {
  const { entries, floor } = outbox;
  outbox.numbers ??= numbersOf(entries);
  const { numbers } = outbox;
  if (floor === '0') {
    if (entries.length > 0) sources.push({ entries, floor, numbers });
    return;
  }
  const extend = async () => [await deepSource(deps, [authorId], floor, signal)];
  sources.push({ entries, floor, numbers, extend });
}

/** Straight from the truth, some pages at a time. */
async function deepSource(
  deps: WalkDeps,
  authorIds: readonly string[],
  before: string,
  signal: AbortSignal | undefined,
): Promise<Source> {
  const entries = await newestOfAll(deps.db, authorIds, before, DEEP_READ, signal);
  const last = entries.at(-1)?.key;
  if (entries.length < DEEP_READ || last === undefined) return { entries, floor: '0' };
  return {
    ...{ entries, floor: last },
    extend: async () => [await deepSource(deps, authorIds, last, signal)],
  };
}

/** What is in flight of the followees, by whichever are fewer. */
function flyingOf({ authors }: InFlight, { modes }: ReaderGraph): Source[] {
  if (authors.size === 0) return [];
  const sources: Source[] = [];
  if (authors.size < modes.size) {
    for (const [id, entries] of authors) if (modes.has(id)) sources.push({ entries, floor: '0' });
    return sources;
  }
  for (const id of modes.keys()) {
    const entries = authors.get(id);
    if (entries) sources.push({ entries, floor: '0' });
  }
  return sources;
}
