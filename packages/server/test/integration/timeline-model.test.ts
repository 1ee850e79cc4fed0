import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { VideoVisibility } from '@hvideo/protocol';
import fc from 'fast-check';
import type { FollowingRequest } from '../../src/features/timeline/index.ts';
import type { Database, SqlQuery } from '../../src/ports/database/port.ts';
import { FeedModel } from '../support/feed-model.ts';
import { call, type VideoStack, videoStack } from '../support/video-stack.ts';

/**
 * Random histories of publishing, deleting, withdrawing, following, muting, blocking, suspending, changing visibility and
 * waiting for a schedule; after each, every feed must be what a model without any index or query says.
 */
let stack: VideoStack;

let statements = 0;

/** Counts what is sent; a template that is a part of another is not. */
function counting(db: Database): Database {
  const watched = <T>(query: SqlQuery<T>): SqlQuery<T> =>
    new Proxy(query, {
      get(target, name) {
        if (name === 'then') statements++;
        if (name === 'withSignal')
          return (signal: AbortSignal | undefined) => watched(target.withSignal(signal));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const sql = new Proxy(db.sql, { apply: (tag, self, parts) => watched(Reflect.apply(tag, self, parts)) });
  return { sql, transaction: db.transaction.bind(db), write: db.write.bind(db) };
}

beforeAll(async () => {
  stack = await videoStack({ work: false, wrap: counting });
});
afterAll(() => stack[Symbol.asyncDispose]());

const peopleCount = 4;
const person = fc.nat(peopleCount - 1);
const pair = fc.tuple(person, person).filter(([a, b]) => a !== b);
const visibility = fc.constantFrom<VideoVisibility>('public', 'followers', 'unlisted', 'private');
const which = fc.nat(50);

type Step =
  | { kind: 'publish'; by: number; visibility: VideoVisibility; scheduled: boolean }
  | { kind: 'delete' | 'takedown' | 'playable' | 'now'; video: number }
  | { kind: 'change'; video: number; visibility: VideoVisibility }
  | { kind: 'follow' | 'unfollow' | 'mute' | 'unmute' | 'block' | 'unblock'; pair: [number, number] }
  | { kind: 'repost' | 'unrepost'; who: number; video: number }
  | { kind: 'suspend' | 'unsuspend'; who: number }
  | { kind: 'wait' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      by: person,
      visibility,
      scheduled: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('playable' as const), video: which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('delete' as const, 'takedown' as const, 'now' as const),
      video: which,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), video: which, visibility }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'follow' as const,
        'follow' as const,
        'unfollow' as const,
        'mute' as const,
        'unmute' as const,
        'block' as const,
        'unblock' as const,
      ),
      pair,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('repost' as const, 'repost' as const, 'unrepost' as const),
      who: person,
      video: which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('suspend' as const, 'unsuspend' as const), who: person }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'wait' as const }) },
);

const dayMs = 86_400_000;

async function apply(model: FeedModel, people: string[], todo: Step): Promise<void> {
  const id = (index: number) => people[index] ?? '';
  const alive = model.videos.filter(({ gone }) => !gone);
  const chosen = 'video' in todo ? alive[todo.video % Math.max(1, alive.length)] : undefined;
  if ('video' in todo && !chosen) return;
  const { graph, db, videos, clock, ids } = stack;
  switch (todo.kind) {
    case 'publish': {
      const videoId = ids.next();
      const publishAt = todo.scheduled ? new Date(clock.nowMs() + dayMs) : null;
      await db.sql`
        insert into video (id, author_id, title, description, tags, visibility, publish_at, duration_ms, width, height)
        values (${videoId}, ${id(todo.by)}, 'T', '', '{}', ${todo.visibility}, ${publishAt}, 1000, 320, 180)`;
      const { by, visibility: seen, scheduled } = todo;
      model.videos.push({
        id: videoId,
        by,
        visibility: seen,
        due: !scheduled,
        playable: false,
        gone: false,
        key: undefined,
      });
      break;
    }
    case 'playable':
      // What the first rendition does; the sweep then stands for the job's own publication.
      await db.sql`
        update video set status = 'playable', publish_at = coalesce(publish_at, ${new Date(clock.nowMs() - 1)})
        where id = ${chosen?.id}`;
      await videos.sweep(new AbortController().signal);
      if (chosen) chosen.playable = true;
      break;
    case 'delete':
      await videos.writes.delete(id(chosen?.by ?? 0), chosen?.id ?? '');
      if (chosen) chosen.gone = true;
      break;
    case 'takedown':
      await videos.writes.takedown(id(0), chosen?.id ?? '', 'No');
      if (chosen) chosen.gone = true;
      break;
    case 'now':
      await videos.writes.update(id(chosen?.by ?? 0), chosen?.id ?? '', { publishAt: null });
      if (chosen) chosen.due = true;
      break;
    case 'change':
      await videos.writes.update(id(chosen?.by ?? 0), chosen?.id ?? '', { visibility: todo.visibility });
      if (chosen) chosen.visibility = todo.visibility;
      break;
    case 'wait':
      // Everything scheduled so far is due at once; one after the other, so that the order is known.
      clock.aheadMs += dayMs + 1000;
      for (const video of model.videos.filter(({ due, gone }) => !due && !gone)) video.due = true;
      await videos.sweep(new AbortController().signal);
      break;
    case 'repost': {
      if (!chosen) break;
      const reposts = stack.engagement.reposts.add(id(todo.who), chosen.id, undefined);
      if (model.repost(todo.who, chosen)) await reposts;
      else await expect(reposts).rejects.toMatchObject({ code: 'not-found' });
      break;
    }
    case 'unrepost':
      if (!chosen) break;
      await stack.engagement.reposts.remove(id(todo.who), chosen.id);
      model.unrepost(todo.who, chosen);
      break;
    case 'suspend':
    case 'unsuspend':
      await graph.suspend(id(todo.who), todo.kind === 'suspend');
      if (todo.kind === 'suspend') model.suspended.add(todo.who);
      else model.suspended.delete(todo.who);
      break;
    default:
      await changeEdge(model, people, todo);
  }
  model.settle();
}

async function changeEdge(
  model: FeedModel,
  people: string[],
  { kind, pair: [a, b] }: Extract<Step, { pair: unknown }>,
): Promise<void> {
  const edge = `${a}-${b}`;
  // A follow across a block is refused by the graph.
  if (kind === 'follow' && (model.blocks.has(edge) || model.blocks.has(`${b}-${a}`))) return;
  await stack.graph[kind](people[a] ?? '', people[b] ?? '');
  if (kind === 'follow') model.follows.add(edge);
  if (kind === 'unfollow') model.follows.delete(edge);
  if (kind === 'mute') model.mutes.add(edge);
  if (kind === 'unmute') model.mutes.delete(edge);
  if (kind === 'unblock') model.blocks.delete(edge);
  if (kind === 'block') model.block(a, b);
}

/** All pages of a feed, and whether any card came twice. */
async function pages(
  viewer: string | undefined,
  kind: 'following' | 'latest',
  limit: number,
  known: Set<string>,
) {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page =
      kind === 'following'
        ? await stack.timeline.following(viewer ?? '', { cursor, limit })
        : await stack.timeline.latest(viewer, { cursor, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    seen.push(...page.items.map(({ id, reason }) => (reason.kind === 'repost' ? `${id} reposted` : id)));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return seen.filter((id) => known.has(id.replace(' reposted', '')));
}

test('every page is what a brute-force model says, after any history', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, limit) => {
        const people = await Promise.all(Array.from({ length: peopleCount }, () => stack.graph.person()));
        const model = new FeedModel();
        for (const todo of steps) await apply(model, people, todo);
        const known = new Set(model.videos.map(({ id }) => id));
        for (const [index, id] of people.entries()) {
          expect(await pages(id, 'following', limit, known)).toEqual(
            model.following(index).map(({ id }) => id),
          );
          expect(await pages(id, 'latest', 50, known)).toEqual(model.latest(index).map(({ id }) => id));
        }
        expect(await pages(undefined, 'latest', 50, known)).toEqual(
          model.latest(undefined).map(({ id }) => id),
        );
      },
    ),
    { numRuns: 40 },
  );
}, 60_000);

test('a page that is warm costs no statement, and a cold one as many however long it is', async () => {
  const reader = await stack.graph.person();
  for (let count = 0; count < 30; count++) {
    const author = await stack.graph.person();
    await stack.graph.follow(reader, author);
    await stack.db.sql`
      insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
      values (${stack.ids.next()}, ${author}, 'T', '', '{}', 'public', 'ready', ${stack.ids.next()}, 1000, 320, 180)`;
  }
  const costOf = async (request: FollowingRequest) => {
    const before = statements;
    const page = await stack.timeline.following(reader, request);
    return { page, cost: statements - before };
  };
  const { page, cost } = await costOf({ limit: 10 });
  expect(page.items).toHaveLength(10);
  expect(page.items.every(({ viewer, reason }) => viewer.following && reason.kind === 'following')).toBe(
    true,
  );
  const keys = page.items.map(({ publishedAt }) => publishedAt ?? '');
  expect(keys).toEqual(keys.toSorted().reverse());
  // The graph, the outboxes, the videos, the counters, the reader's reactions and position.
  expect(cost).toBe(6);
  // The videos of the second page and their counters.
  expect((await costOf({ limit: 10, cursor: page.nextCursor ?? '' })).cost).toBe(2);
  expect(await costOf({ limit: 10 })).toEqual({ page, cost: 0 });
});

test('a cursor works for one list and one reader only', async () => {
  const { nextCursor } = await stack.timeline.latest(undefined, { limit: 1 });
  const reader = await stack.graph.person();
  const codes = [];
  for (const cursor of [nextCursor, 'x', `${nextCursor}x`, ''])
    codes.push((await call(stack, reader, 'GET', `/api/v1/feed/following?cursor=${cursor}`)).body.code);
  expect(codes).toEqual(['invalid-cursor', 'invalid-cursor', 'invalid-cursor', 'invalid-cursor']);
});
