import { join } from 'node:path';
import { LmdbTimelineStore } from '../../packages/server/src/adapters/lmdb/timeline-store.ts';
import { HOT_ENTRIES } from '../../packages/server/src/features/timeline/reading/outboxes.ts';
import { Merge, type Source } from '../../packages/server/src/features/timeline/reading/sources.ts';
import { systemClock } from '../../packages/server/src/kernel/clock.ts';
import { systemRandom } from '../../packages/server/src/kernel/random.ts';
import type { ShelfRead } from '../../packages/server/src/ports/timeline-store/port.ts';
import type { Graph } from './graph.ts';
import { Seeded } from './seeded.ts';
import { entriesOf, fill, INBOX_ENTRIES, idOf, inboxOf, NOW_MS, newEntry, outboxOf } from './shelves.ts';

/** Processor time of each step, in microseconds, and bytes; of the real stores, on this machine. */
export interface Measured {
  /** H: one entry into one inbox, of many in a call. */
  readonly pushUs: number;
  /** L where the outbox is in the memory of the node: found, and merged into the page. */
  readonly pullHereUs: number;
  /** L where it is read from the store first. */
  readonly pullStoredUs: number;
  /** The inbox of a page without pulled outboxes, and the merge of its twenty entries. */
  readonly inboxReadUs: number;
  readonly inboxBytesPerEntry: number;
}

/** Inboxes of the sample, and what a community has for each of them: caches are made smaller by as much. */
const inboxes = 10_000;
const sampledShare = 0.1;
const pushesAtOnce = 1_000;
const pushCalls = 200;
const sampledReaders = 400;
const rounds = 3;
const pageEntries = 20;
const inboxReadEntries = 32;
const outboxesAtOnce = 200;
const afterAll = String(2n ** 63n - 1n);

export async function measure(folder: string, graph: Graph): Promise<Measured> {
  const random = new Seeded(graph.people);
  await using store = await LmdbTimelineStore.open({
    ...{ folder: join(folder, 'shelves'), origin: 'bench', clock: systemClock, random: systemRandom },
    ...{ maxHeaders: 50_000 * sampledShare, maxHeads: 10_000 * sampledShare },
  });
  for (let reader = 0; reader < inboxes; reader++)
    await fill(store, inboxOf(reader), entriesOf(random, INBOX_ENTRIES, graph.people));
  const stats = await store.stats();
  const inboxBytesPerEntry = Math.round((stats.bytes ?? 0) / (inboxes * INBOX_ENTRIES));
  const pushUs = await measurePushes(store, random, graph.people);
  const inboxReadUs = await measureInboxReads(store, random);
  const outboxes = await fillOutboxes(store, random, graph);
  const pullStoredUs = await measureLoads(store, random, outboxes.all);
  return { pushUs, inboxReadUs, pullStoredUs, pullHereUs: measureMerges(outboxes), inboxBytesPerEntry };
}

/** As the fan-out does it: one entry to many readers, in the order of nothing. */
async function measurePushes(store: LmdbTimelineStore, random: Seeded, people: number): Promise<number> {
  const calls = Array.from({ length: pushCalls }, () => {
    const entry = newEntry(random, NOW_MS, random.below(people));
    return Array.from({ length: pushesAtOnce }, () => ({ shelf: inboxOf(random.below(inboxes)), entry }));
  });
  const startedAt = process.cpuUsage();
  for (const pushes of calls) await store.push(pushes);
  return usedUs(startedAt) / (pushCalls * pushesAtOnce);
}

async function measureInboxReads(store: LmdbTimelineStore, random: Seeded): Promise<number> {
  const reads = 20_000;
  const startedAt = process.cpuUsage();
  for (let read = 0; read < reads; read++) {
    const shelf = inboxOf(random.below(inboxes));
    const [page] = await store.read([{ shelf, before: afterAll, limit: inboxReadEntries }]);
    if (!page) throw new Error('no inbox');
    takePage([{ entries: page.entries, floor: page.floor }]);
  }
  return usedUs(startedAt) / reads;
}

async function measureLoads(
  store: LmdbTimelineStore,
  random: Seeded,
  all: readonly Source[],
): Promise<number> {
  const loads = Math.min(all.length, 20_000);
  const startedAt = process.cpuUsage();
  for (let at = 0; at < loads; at += outboxesAtOnce) {
    const wanted: ShelfRead[] = [];
    for (let each = 0; each < outboxesAtOnce; each++)
      wanted.push({ shelf: outboxOf(random.below(all.length)), limit: HOT_ENTRIES });
    await store.read(wanted);
  }
  return usedUs(startedAt) / loads;
}

/** Pages that pull everybody: what is left is the look-ups and the merge. */
function measureMerges({ byAuthor, ofReaders }: Outboxes): number {
  let pulled = 0;
  const startedAt = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    for (const authors of ofReaders) {
      const sources: Source[] = [];
      for (const author of authors) {
        const outbox = byAuthor.get(author);
        if (outbox && outbox.entries.length > 0) sources.push(outbox);
      }
      pulled += authors.length;
      takePage(sources);
    }
  }
  return usedUs(startedAt) / pulled;
}

function takePage(sources: readonly Source[]): void {
  const merge = new Merge(sources, afterAll);
  for (let taken = 0; taken < pageEntries; taken++) if (!merge.next()) return;
}

interface Outboxes {
  readonly all: readonly Source[];
  readonly byAuthor: ReadonlyMap<string, Source>;
  /** The followees of each reader of the sample. */
  readonly ofReaders: readonly (readonly string[])[];
}

/** Of everybody whom some of the active readers follow, as long as their posts of a year make them. */
async function fillOutboxes(store: LmdbTimelineStore, random: Seeded, graph: Graph): Promise<Outboxes> {
  const all: Source[] = [];
  const byAuthor = new Map<string, Source>();
  const ofReaders: string[][] = [];
  while (ofReaders.length < sampledReaders) {
    const reader = random.below(graph.people);
    if (graph.readsPerDay[reader] === 0) continue;
    const followees = graph.followees.subarray(graph.starts[reader], graph.starts[reader + 1]);
    ofReaders.push([...followees].map(idOf));
    for (const author of followees) {
      if (byAuthor.has(idOf(author))) continue;
      const count = Math.min(HOT_ENTRIES, Math.round(graph.postsPerDay[author]! * 365));
      const entries = entriesOf(random, count, graph.people, author);
      await fill(store, outboxOf(all.length), entries);
      all.push({ entries, floor: '0' });
      byAuthor.set(idOf(author), { entries, floor: '0' });
    }
  }
  return { all, byAuthor, ofReaders };
}

/** Processor time: what else the machine does meanwhile hardly counts. */
function usedUs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}
