/**
 * A process to be killed: pushes entry after entry to three shelves, many calls at once, telling each key on standard output
 * once it is acknowledged. `bun timeline-process.ts FOLDER`
 */
import { writeSync } from 'node:fs';
import { LmdbTimelineStore } from '../../src/adapters/lmdb/timeline-store.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import type { Shelf } from '../../src/ports/timeline-store/port.ts';

const [folder = ''] = process.argv.slice(2);
const store = await LmdbTimelineStore.open({ folder, origin: 'here', clock, random });
const shelves = ['1', '2', '3'].map((ownerId): Shelf => ({ kind: 'inbox', ownerId }));
for (const shelf of shelves) {
  const token = await store.begin(shelf, 1_000);
  await store.merge(shelf, { entries: [], completeDownTo: '0', token, isLast: true });
}
let next = 0;
async function pusher(): Promise<void> {
  for (;;) {
    next += 1;
    const key = next;
    const entry = { key: String(key), authorId: '1', videoId: '2' };
    await store.push(shelves.map((shelf) => ({ shelf, entry })));
    writeSync(1, `${key}\n`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
await Promise.all(Array.from({ length: 4 }, pusher));
