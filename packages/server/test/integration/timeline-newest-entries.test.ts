import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { newestEntries } from '../../src/features/timeline/tuning/newest-entries.ts';
import { compareIds } from '../../src/kernel/ids.ts';
import type { Entry } from '../../src/ports/timeline-store/port.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { Graph } from '../support/graph.ts';
import { Snowflakes } from '../support/snowflakes.ts';

let t: TestDatabase;
const ids = new Snowflakes();
const authors: string[] = [];
const entries: Entry[] = [];

/** Six authors of very different size, one of them with reposts only, and one with nothing at all. */
beforeAll(async () => {
  t = await testDatabase();
  const graph = new Graph(t.database, ids);
  for (let at = 0; at < 6; at++) authors.push(await graph.person());
  const counts = [0, 1, 30, 90, 200];
  const order = counts.flatMap((count, at) => Array.from({ length: count }, (_, turn) => ({ at, turn })));
  // Mixed, but the largest one has most of the newest.
  order.sort((a, b) => ((a.turn * 7) % 11) - ((b.turn * 7) % 11) || a.at - b.at);
  for (const { at } of order) entries.push(await publish(authors[at]!));
  for (const { videoId } of entries.slice(0, 150)) {
    const key = ids.next();
    await t.database.sql`
      insert into repost (id, account_id, video_id, created_at) values (${key}, ${authors[5]!}, ${videoId}, now())`;
    entries.push({ key, authorId: authors[5]!, videoId });
  }
  entries.sort((a, b) => compareIds(b.key, a.key));
});
afterAll(() => t[Symbol.asyncDispose]());

async function publish(authorId: string): Promise<Entry> {
  const id = ids.next();
  // Whoever may see it: also what is private now.
  await t.database.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${id}, ${authorId}, 't', '', '{}', 'private', 'ready', ${id}, 1000, 10, 10)`;
  return { key: id, authorId, videoId: id };
}

test('the newest entries over some authors are those of a sort of all', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.subarray([0, 1, 2, 3, 4, 5]),
      fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 600 })),
      async (which, limit) => {
        const chosen = which.map((at) => authors[at]!);
        const all = entries.filter(({ authorId }) => chosen.includes(authorId));
        const found = await newestEntries(t.database, chosen, limit);
        expect(found.entries).toEqual(all.slice(0, limit));
        const isCut = found.entries.length === limit;
        expect(found.completeDownTo).toBe(isCut ? found.entries.at(-1)!.key : '0');
      },
    ),
    { numRuns: 150 },
  );
});
