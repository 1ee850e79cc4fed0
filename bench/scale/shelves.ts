import { HOT_ENTRIES } from '../../packages/server/src/features/timeline/reading/outboxes.ts';
import { ID_EPOCH_MS } from '../../packages/server/src/kernel/ids.ts';
import type { Entry, Shelf, TimelineStore } from '../../packages/server/src/ports/timeline-store/port.ts';
import type { Seeded } from './seeded.ts';

export const INBOX_ENTRIES = 200;
const historyMs = 365 * 86_400_000;
export const NOW_MS = ID_EPOCH_MS + 2 * historyMs;

/** As long as ids are that were taken from the clock. */
export const idOf = (person: number): string => String(2n ** 57n + BigInt(person) * 4_194_304n);
export const inboxOf = (person: number): Shelf => ({ kind: 'inbox', ownerId: idOf(person) });
export const outboxOf = (person: number): Shelf => ({ kind: 'outbox', ownerId: idOf(person) });

export async function fill(store: TimelineStore, shelf: Shelf, entries: readonly Entry[]): Promise<void> {
  const token = await store.begin(shelf, shelf.kind === 'inbox' ? INBOX_ENTRIES : HOT_ENTRIES);
  if (!(await store.merge(shelf, { entries, completeDownTo: '0', token, isLast: true })))
    throw new Error('a shelf was not kept');
}

/** Newest first, evenly over a year. */
export function entriesOf(random: Seeded, count: number, people: number, author?: number): Entry[] {
  return Array.from({ length: count }, (_, at) => {
    const timeMs = NOW_MS - 1 - ((at + random.next()) / count) * historyMs;
    return newEntry(random, timeMs, author ?? random.below(people));
  });
}

export function newEntry(random: Seeded, timeMs: number, author: number): Entry {
  const key = (BigInt(Math.floor(timeMs - ID_EPOCH_MS)) << 22n) | BigInt(random.below(2 ** 22));
  return { key: String(key), authorId: idOf(author), videoId: String(key - 1n) };
}
