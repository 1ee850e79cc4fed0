import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { FollowingPage } from '@hvideo/protocol';
import fc from 'fast-check';
import { entryFact } from '../../src/features/timeline/facts.ts';
import { smallestIdAt } from '../../src/kernel/ids.ts';
import { call, type VideoStack, videoStack } from '../support/video-stack.ts';

let stack: VideoStack;
beforeAll(async () => {
  stack = await videoStack({ work: false });
});
afterAll(() => stack[Symbol.asyncDispose]());

const path = '/api/v1/feed/following';
const top = async (reader: string, query = ''): Promise<FollowingPage> =>
  (await call(stack, reader, 'GET', `${path}${query}`)).body;
const save = (reader: string, entryId: string) => call(stack, reader, 'PUT', `${path}/position`, { entryId });

async function publish(author: string, feedKey = stack.ids.next()): Promise<string> {
  const videoId = stack.ids.next();
  await stack.db.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${videoId}, ${author}, 'T', '', '{}', 'public', 'ready', ${feedKey}, 1000, 320, 180)`;
  await stack.announcements.announce([entryFact({ key: feedKey, authorId: author, videoId })]);
  return feedKey;
}

async function pair() {
  const [reader, author] = [await stack.graph.person(), await stack.graph.person()];
  await stack.graph.follow(reader, author);
  return { reader, author };
}

const entryIds = ({ items }: FollowingPage) => items.map(({ reason }) => reason.entryId);

test('where one has read to is there on every device, with the way to it', async () => {
  const { reader, author } = await pair();
  const keys = [await publish(author), await publish(author), await publish(author), await publish(author)];
  const [oldest = '', second = '', third = '', newest = ''] = keys;
  expect((await top(reader)).position).toBeNull();
  expect((await save(reader, second)).status).toBe(204);
  const page = await top(reader);
  expect(entryIds(page)).toEqual([newest, third, second, oldest]);
  expect(page.position?.entryId).toBe(second);
  expect(Date.parse(page.position?.readAt ?? '')).toBeCloseTo(stack.clock.nowMs(), -4);
  const there = await top(reader, `?cursor=${page.position?.cursor}`);
  expect(entryIds(there)).toEqual([second, oldest]);
  expect(there.position).toBeNull();
  const another = await stack.graph.person();
  expect((await top(another)).position).toBeNull();
  expect((await call(stack, another, 'GET', `${path}?cursor=${page.position?.cursor}`)).body.code).toBe(
    'invalid-cursor',
  );
});

test('a position never moves back, in whatever order the devices write, and at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }), async (agesMin) => {
      const reader = await stack.graph.person();
      const keys = agesMin.map((age) => smallestIdAt(stack.clock.nowMs() - age * 60_000));
      await Promise.all(keys.map((key) => save(reader, key)));
      const furthest = keys.reduce((left, right) => (BigInt(left) > BigInt(right) ? left : right));
      expect((await stack.timeline.positions.read(reader))?.entryId).toBe(furthest);
    }),
    { numRuns: 20 },
  );
});

test('an entry that is gone still is a place; one of the future is none', async () => {
  const { reader, author } = await pair();
  const kept = await publish(author);
  const gone = await publish(author);
  await save(reader, gone);
  await stack.db.sql`delete from video where feed_key = ${gone}`;
  const { position } = await top(reader);
  expect(position?.entryId).toBe(gone);
  expect(entryIds(await top(reader, `?cursor=${position?.cursor}`))).toEqual([kept]);
  expect((await save(reader, '9223372036854775807')).body.code).toBe('not-found');
  expect((await save(reader, smallestIdAt(stack.clock.nowMs() + 3_600_000))).status).toBe(404);
  expect((await top(reader)).position?.entryId).toBe(gone);
});

test('since answers what is newer, and again the minute before; nothing is left out', async () => {
  const { reader, author } = await pair();
  const empty = await top(reader);
  expect(empty).toMatchObject({ items: [], nextCursor: null });
  const old = await publish(author, smallestIdAt(stack.clock.nowMs() - 120_000));
  const first = await top(reader, `?since=${empty.since}`);
  expect(entryIds(first)).toEqual([old]);
  const nothing = await top(reader, `?since=${first.since}`);
  expect(entryIds(nothing)).toEqual([old]);
  expect(nothing.nextCursor).toBeNull();
  // Its transaction ended late: the key is older than what was there already.
  const recent = await publish(author);
  const seen = await top(reader, `?since=${nothing.since}`);
  const late = await publish(author, (BigInt(recent) - 1n).toString());
  expect(entryIds(seen)).toEqual([recent, old]);
  expect(entryIds(await top(reader, `?since=${seen.since}`))).toEqual([recent, late]);
  expect(entryIds(await top(reader, `?since=${seen.since}&limit=1`))).toEqual([recent]);
});

test('at begins at the end of a day in a zone, or at a moment', async () => {
  const { reader, author } = await pair();
  const at = (time: string) => publish(author, smallestIdAt(Date.parse(time)));
  const early = await at('2026-03-01T15:59:59.999Z');
  const late = await at('2026-03-01T16:00:00.000Z');
  const later = await at('2026-03-02T12:00:00.000Z');
  expect(entryIds(await top(reader, '?at=2026-03-01&tz=Asia/Shanghai'))).toEqual([early]);
  expect(entryIds(await top(reader, '?at=2026-03-01'))).toEqual([late, early]);
  expect(entryIds(await top(reader, '?at=2026-03-02T00:00:00%2B08:00'))).toEqual([late, early]);
  expect(entryIds(await top(reader, '?at=2020-01-01'))).toEqual([]);
  expect(entryIds(await top(reader, '?at=9999-12-31'))).toEqual([later, late, early]);
  const page = await top(reader, '?at=2026-03-01&limit=1');
  expect(page).toMatchObject({ since: null, position: null });
  expect(entryIds(await top(reader, `?cursor=${page.nextCursor}`))).toEqual([early]);
});

test('what makes no sense is refused', async () => {
  const { reader } = await pair();
  const { since } = await top(reader);
  const codes = [];
  for (const query of [
    'since=x',
    `cursor=${since}`,
    `since=${since}&at=2026-01-01`,
    'at=2026-13-01',
    'tz=Mars/Base',
  ])
    codes.push((await call(stack, reader, 'GET', `${path}?${query}`)).body.code);
  expect(codes).toEqual([
    'invalid-cursor',
    'invalid-cursor',
    'invalid-request',
    'invalid-request',
    'invalid-request',
  ]);
});
