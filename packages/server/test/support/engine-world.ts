import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FollowingPage } from '@hvideo/protocol';
import { exactEntries } from '../../src/features/timeline/reading/exact.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import type { Announcements } from '../../src/ports/announcements/port.ts';
import type { TimelineStore } from '../../src/ports/timeline-store/port.ts';
import { testDatabase } from './database.ts';
import { around, type Fault } from './engine-faults.ts';
import type { LosableStore } from './engine-stores.ts';
import { Gates } from './gates.ts';
import { openParts, sharedParts } from './video-stack.ts';

const everything = { after: '0', before: '9223372036854775807' };

export type EngineWorld = Awaited<ReturnType<typeof openEngineWorld>>;

/**
 * The whole engine over real rows and a real store: two nodes that have in common what nodes have in common, and a third one
 * without gates, whose pages are read in one step where all is in its process.
 */
export async function openEngineWorld(open: () => Promise<LosableStore>, fault: Fault = {}) {
  await using opening = new AsyncDisposableStack();
  const losable = opening.use(await open());
  const { database } = opening.use(await testDatabase({ maxConnections: 12 }));
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-engine-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const gates = new Gates();
  const trouble: Trouble = { isAway: undefined, refused: 0 };
  const db = gates.database(database);
  const faulty = fault.store?.(losable.store) ?? losable.store;
  const store = gates.store(awayStore(faulty, trouble));
  const shared = losable.shared ?? sharedParts();
  const node = async (name: string) =>
    opening.use(
      await openParts(database, join(folder, name), {
        ...{ work: false, shared, timelineStore: store, wrap: () => db },
        // One of them holds no outbox for long, and looks into the store each time.
        ...(name === 'one' && { maxOutboxEntries: 1 }),
        wrapAnnouncements: (own) =>
          gates.announcements(awayAnnouncements(fault.announcements?.(own) ?? own, trouble)),
      }),
    );
  const nodes = [await node('one'), await node('two')] as const;
  const rows = gates.database(database, true);
  const here = opening.use(
    await openParts(database, join(folder, 'here'), {
      ...{ work: false, shared, timelineStore: faulty, wrap: () => rows },
      wrapAnnouncements: (own) => fault.announcements?.(own) ?? own,
    }),
  );
  const opened = opening.move();
  return {
    ...{ gates, nodes, here, db, store, trouble, cursorKeys: shared.cursorKeys },
    /** Not through any gate. */
    rows,
    loseStore: () => losable.lose(),
    loseAnnouncements: () => shared.loseAnnouncements(),
    /** The next announcement fails, unheard; or it is heard and fails, and the one after it fails unheard. */
    refuse: (kind: 'refuse' | 'refuseHeard') => {
      trouble.refused = kind === 'refuse' ? 1 : 2;
    },
    /** As if the time of every lease, grace and delay had passed. */
    async pass(): Promise<void> {
      await database.sql`update fanout set due_at = now() - interval '1 second'`;
      await database.sql`update timeline_removal set due_at = now() - interval '1 second'`;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** An entry of a page: its key, its video, and whether it is a repost. */
export const namesOf = ({ items }: Pick<FollowingPage, 'items'>): string[] =>
  items.map(({ id, reason }) => `${reason.entryId} ${id}${reason.kind === 'repost' ? ' reposted' : ''}`);

export interface Walk {
  readonly limit: number;
  readonly cursor?: string;
  /** By the node without gates alone. */
  readonly isHere?: boolean;
  /** What cannot be reached meanwhile. */
  readonly without?: 'announcements' | 'store' | undefined;
}

/** All pages of a feed, from the top or a cursor to the end, each from another node. */
export async function walkFeed(
  { nodes, here, trouble }: EngineWorld,
  readerId: string,
  { limit, without, isHere = false, ...from }: Walk,
): Promise<string[]> {
  const seen: string[] = [];
  let { cursor } = from;
  trouble.isAway = without;
  try {
    for (let at = 0; at === 0 || cursor !== undefined; at++) {
      const page = await (isHere ? here : nodes[at % 2]!).timeline.following(readerId, { cursor, limit });
      if (page.items.length > limit) throw new Error(`a page of ${page.items.length}`);
      seen.push(...namesOf(page));
      cursor = page.nextCursor ?? undefined;
    }
  } finally {
    trouble.isAway = undefined;
  }
  return seen;
}

/** The same by the one statement over the truth. */
export async function exactFeed({ rows }: EngineWorld, readerId: string): Promise<string[]> {
  const found = await exactEntries(rows, readerId, everything, 1_000, new Date(systemClock.nowMs()));
  return found.map(({ key, id, by }) => `${key} ${id}${by === null ? '' : ' reposted'}`);
}

interface Trouble {
  isAway: Walk['without'];
  /** So many of the next announcements fail; every other one is heard all the same. */
  refused: number;
}

function awayStore(inner: TimelineStore, trouble: Readonly<Trouble>): TimelineStore {
  return around(inner, {
    read: async (...all) => {
      if (trouble.isAway === 'store') throw new AppError('timeout');
      return inner.read(...all);
    },
  });
}

/** While they are away they can be announced to, which nothing does then. */
function awayAnnouncements(inner: Announcements, trouble: Trouble): Announcements {
  return {
    follow: (kind, follower) => inner.follow(kind, follower),
    async announce(...all) {
      const isRefused = trouble.refused > 0;
      if (isRefused) trouble.refused -= 1;
      if (!isRefused || trouble.refused % 2 === 1) await inner.announce(...all);
      if (isRefused) throw new AppError('timeout', { detail: 'It is not known whether it was announced' });
    },
    beginAnew: (options) => inner.beginAnew(options),
    catchUp: (options) =>
      trouble.isAway === 'announcements' ? Promise.reject(new AppError('timeout')) : inner.catchUp(options),
  };
}
