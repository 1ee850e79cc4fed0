import { GRAPH_KIND } from '../../src/features/graph/index.ts';
import { ENTRY_KIND } from '../../src/features/timeline/facts.ts';
import type { Announcements } from '../../src/ports/announcements/port.ts';
import type { Push, ShelfKind, TimelineStore } from '../../src/ports/timeline-store/port.ts';

/** What stands before a store or before the announcements of a node, and breaks a step. */
export interface Fault {
  readonly store?: (inner: TimelineStore) => TimelineStore;
  readonly announcements?: (inner: Announcements) => Announcements;
}

/** The same store, with some calls in another way. */
export const around = (inner: TimelineStore, changed: Partial<TimelineStore>): TimelineStore => ({
  begin: (...all) => inner.begin(...all),
  merge: (...all) => inner.merge(...all),
  push: (...all) => inner.push(...all),
  read: (...all) => inner.read(...all),
  remove: (...all) => inner.remove(...all),
  drop: (...all) => inner.drop(...all),
  stats: () => inner.stats(),
  ...changed,
});

/** What arrives while a shelf of this kind is being made is lost. */
const deafWhileBuilding =
  (kind: ShelfKind) =>
  (inner: TimelineStore): TimelineStore => {
    const building = new Set<string>();
    return around(inner, {
      begin: (shelf, ...rest) => {
        if (shelf.kind === kind) building.add(shelf.ownerId);
        return inner.begin(shelf, ...rest);
      },
      merge: (shelf, merge, ...rest) => {
        if (shelf.kind === kind && merge.isLast) building.delete(shelf.ownerId);
        return inner.merge(shelf, merge, ...rest);
      },
      push: (pushes, ...rest) =>
        inner.push(
          pushes.filter(({ shelf }) => shelf.kind !== kind || !building.has(shelf.ownerId)),
          ...rest,
        ),
    });
  };

/** The last inbox of each call is served with the next call: the entry may leave flight before. */
function lastPushLater(inner: TimelineStore): TimelineStore {
  let later: readonly Push[] = [];
  return around(inner, {
    push: (pushes, ...rest) => {
      const now = [...later, ...pushes];
      later = now.at(-1)?.shelf.kind === 'inbox' ? now.splice(-1) : [];
      return inner.push(now, ...rest);
    },
  });
}

/** An inbox that was cut passes for whole. */
const noFloor = (inner: TimelineStore): TimelineStore =>
  around(inner, {
    read: async (...all) => (await inner.read(...all)).map((page) => ({ ...page, floor: '0' })),
  });

/** Pages begin with what the node had heard before the last catching up. */
const late =
  (late: string) =>
  (inner: Announcements): Announcements => {
    const waiting: (() => void)[] = [];
    return {
      follow: (kind, follower) =>
        inner.follow(kind, {
          reset: () => follower.reset(),
          hear: (texts) => {
            if (kind === late) waiting.push(() => follower.hear(texts));
            else follower.hear(texts);
          },
        }),
      announce: (...all) => inner.announce(...all),
      beginAnew: (options) => inner.beginAnew(options),
      async catchUp(options) {
        await inner.catchUp(options);
        const heard = waiting.splice(0);
        setTimeout(() => {
          for (const each of heard) each();
        }, 20);
      },
    };
  };

/** A node that hears nothing of a kind. */
const deaf =
  (to: string) =>
  (inner: Announcements): Announcements => ({
    follow: (kind, follower) =>
      inner.follow(kind, kind === to ? { hear: () => {}, reset: () => follower.reset() } : follower),
    announce: (...all) => inner.announce(...all),
    catchUp: (options) => inner.catchUp(options),
    beginAnew: (options) => inner.beginAnew(options),
  });

export const faults: Readonly<Record<string, Fault>> = {
  'an inbox that is being made hears nothing': { store: deafWhileBuilding('inbox') },
  'an outbox that is being made hears nothing': { store: deafWhileBuilding('outbox') },
  'an entry leaves flight before its last push': { store: lastPushLater },
  'an inbox that was cut passes for whole': { store: noFloor },
  'a node does not hear of turned edges': { announcements: deaf(GRAPH_KIND) },
  'a page begins before it has heard of new entries': { announcements: late(ENTRY_KIND) },
};
