import { compareIds } from '../../../kernel/ids.ts';
import type { Announcements } from '../../../ports/announcements/port.ts';
import type { Database, Sql } from '../../../ports/database/port.ts';
import type { Shelf, TimelineStore } from '../../../ports/timeline-store/port.ts';
import { announceEpochs, bumpEpochs } from '../../graph/index.ts';
import { INBOX_CAPACITIES } from './bands.ts';
import type { EdgeMode } from './edge-mode.ts';
import { type NewestEntries, newestEntries } from './newest-entries.ts';

/** An edge as it was read. */
export interface Edge {
  readonly readerId: string;
  readonly authorId: string;
  readonly mode: EdgeMode;
  /**
   * Of the row: another one after each change of it. A step is taken only from the very row that the step before it
   * has left, so that two who turn the same edge, or one who was away in between, never skip a step.
   */
  readonly version: string;
}

export interface FlipsDeps {
  readonly db: Database;
  readonly store: Pick<TimelineStore, 'read' | 'merge'>;
  readonly announcements: Pick<Announcements, 'announce'>;
}

/** Edges in one call. */
export const MAX_FLIPS = 200;
/** No inbox holds more. */
const maxCopied = INBOX_CAPACITIES.at(-1)!;

/**
 * Turns edges without losing an entry to any page.
 *
 * Promotion: P1 commits `both`, from which on whoever fans out pushes to the reader. P2 copies the author's entries from the
 * truth into the inbox. P3 commits `push`. An entry that committed before P2 read is copied; one that commits later has
 * its followers looked up after P1, and is pushed.
 * Demotion: D1 commits `both` under a new epoch and announces it: from then on every page pulls the author. D2 commits
 * `pull`: nobody trusts the inbox for this author any more.
 *
 * A crash leaves an edge in `both`, which is right for ever: pushed and pulled. Either call takes it from there.
 */
export class Flips {
  readonly #deps: FlipsDeps;

  constructor(deps: FlipsDeps) {
    this.#deps = deps;
  }

  /** How many are pushed now. Those whose inbox is cold stay in `both`: there is nothing to copy into. */
  async promote(edges: readonly Edge[], signal?: AbortSignal): Promise<number> {
    const { announcements, db } = this.#deps;
    const begun = await db.transaction((tx) => turn(tx, ofMode(edges, 'pull'), 'both'));
    const copied = await this.#copy([...ofMode(edges, 'both'), ...begun], signal);
    const { done, epochs } = await db.transaction(async (tx) => {
      const turned = await turn(tx, copied, 'push');
      return { done: turned, epochs: await bumpEpochs(tx, readersOf(turned)) };
    });
    await announceEpochs(announcements, epochs);
    return done.length;
  }

  /** How many are pulled now. */
  demote(edges: readonly Edge[]): Promise<number> {
    return demote(this.#deps, edges);
  }

  /** P2. Answers the edges whose inboxes hold everything now. */
  async #copy(edges: readonly Edge[], signal: AbortSignal | undefined): Promise<Edge[]> {
    const { db, store } = this.#deps;
    const byReader = Map.groupBy(edges, ({ readerId }) => readerId);
    if (byReader.size === 0) return [];
    const pages = await store.read(
      [...byReader.keys()].map((readerId) => ({ shelf: inboxOf(readerId), limit: 1 })),
    );
    // Many readers of one author share what is read.
    const read = new Map<string, Promise<NewestEntries>>();
    const copied: Edge[] = [];
    for (const [at, [readerId, own]] of [...byReader].entries()) {
      signal?.throwIfAborted();
      const page = pages[at];
      if (!page || page.state === 'cold') continue;
      const authorIds = own.map(({ authorId }) => authorId).sort();
      const key = authorIds.join();
      const newest = read.get(key) ?? newestEntries(db, authorIds, maxCopied, signal);
      read.set(key, newest);
      const merge = from(await newest, page.state === 'ready' ? page.floor : '0');
      if (await store.merge(inboxOf(readerId), merge)) copied.push(...own);
    }
    return copied;
  }
}

/** Answers how many are pulled now. */
export async function demote(
  { announcements, db }: Pick<FlipsDeps, 'announcements' | 'db'>,
  edges: readonly Edge[],
): Promise<number> {
  const open = ofMode(edges, 'both');
  const first = await db.transaction(async (tx) => {
    const turned = [...open, ...(await turn(tx, ofMode(edges, 'push'), 'both'))];
    // Also of those that are in `both` already: whoever brought them there may have died before it was announced.
    return { turned, epochs: await bumpEpochs(tx, readersOf(turned)) };
  });
  await announceEpochs(announcements, first.epochs);
  const second = await db.transaction(async (tx) => {
    const turned = await turn(tx, first.turned, 'pull');
    return { turned, epochs: await bumpEpochs(tx, readersOf(turned)) };
  });
  await announceEpochs(announcements, second.epochs);
  return second.turned.length;
}

/** Of these followers, the edges that are pushed to. */
export async function pushedEdges(
  { sql }: Database,
  authorId: string,
  readerIds: readonly string[],
): Promise<Edge[]> {
  const rows = await sql<{ readerId: string; mode: number; version: string }>`
    select follower_id as "readerId", mode, xmin::text as version from follow
    where followee_id = ${authorId} and follower_id = any(${sql.array(readerIds, 'int8')}) and mode > 0`;
  return rows.map(({ mode, ...row }) => ({
    ...{ ...row, authorId },
    mode: mode === MODE_NUMBERS.push ? ('push' as const) : ('both' as const),
  }));
}

/** What is below the floor of an inbox has no place in it. */
function from({ entries, completeDownTo }: NewestEntries, floor: string): NewestEntries {
  if (compareIds(completeDownTo, floor) >= 0) return { entries, completeDownTo };
  return { entries: entries.filter(({ key }) => compareIds(key, floor) >= 0), completeDownTo: floor };
}

const MODE_NUMBERS = { pull: 0, both: 1, push: 2 } as const;

/** One step of each edge that still is the row that was read; answers them as they are now. */
async function turn(tx: Sql, edges: readonly Edge[], mode: EdgeMode): Promise<Edge[]> {
  if (edges.length === 0) return [];
  const rows = await tx<{ readerId: string; authorId: string; version: string }>`
    with edges as (
      select f.followee_id, f.follower_id from unnest(
        ${tx.array(
          edges.map(({ authorId }) => authorId),
          'int8',
        )}, ${tx.array(
          edges.map(({ readerId }) => readerId),
          'int8',
        )}, ${tx.array(
          edges.map(({ version }) => version),
          'text',
        )}) as each (author_id, reader_id, version)
      join follow f on f.followee_id = each.author_id and f.follower_id = each.reader_id
        and f.xmin::text = each.version
      order by f.followee_id, f.follower_id for no key update of f)
    update follow f set mode = ${MODE_NUMBERS[mode]} from edges
    where f.followee_id = edges.followee_id and f.follower_id = edges.follower_id
    returning f.follower_id as "readerId", f.followee_id as "authorId", f.xmin::text as version`;
  return rows.map((row) => ({ ...row, mode }));
}

const ofMode = (edges: readonly Edge[], mode: EdgeMode) => edges.filter((edge) => edge.mode === mode);
const readersOf = (edges: readonly Edge[]) => edges.map(({ readerId }) => readerId);
export const inboxOf = (ownerId: string): Shelf => ({ kind: 'inbox', ownerId });
