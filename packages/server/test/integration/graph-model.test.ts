import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Page, UserListItem } from '@hvideo/protocol';
import fc from 'fast-check';
import { AppError } from '../../src/kernel/errors.ts';
import { type AccountsStack, accountsStack } from '../support/accounts-stack.ts';
import { codeOf } from '../support/errors.ts';

let t: AccountsStack;
let people = 0;

beforeAll(async () => {
  t = await accountsStack();
}, 30_000);
afterAll(async () => t[Symbol.asyncDispose]());

const CROWD = 6;
const newPerson = () =>
  t.accounts.registration.create({ username: `crowd_${people++}`, password: null, displayName: 'One' });
const newCrowd = () => Promise.all(Array.from({ length: CROWD }, newPerson));

type Verb = 'follow' | 'unfollow' | 'mute' | 'unmute' | 'block' | 'unblock';

interface Edge {
  readonly from: number;
  readonly to: number;
}

/** The rules in their plainest form: lists of pairs, oldest first. */
class Model {
  follows: Edge[] = [];
  mutes: Edge[] = [];
  blocks: Edge[] = [];

  /** The code of the refusal, or "none". */
  apply(verb: Verb, from: number, to: number): string {
    if (from === to) return 'cannot-target-self';
    const blocked = has(this.blocks, from, to);
    const blocking = has(this.blocks, to, from);
    if (verb === 'follow' && blocking) return 'not-found';
    if (verb === 'follow' && blocked) return 'blocked';
    if (verb === 'follow') this.follows = withEdge(this.follows, from, to);
    if (verb === 'unfollow') this.follows = without(this.follows, from, to);
    if (verb === 'mute') this.mutes = withEdge(this.mutes, from, to);
    if (verb === 'unmute') this.mutes = without(this.mutes, from, to);
    if (verb === 'block') {
      this.blocks = withEdge(this.blocks, from, to);
      this.follows = without(without(this.follows, from, to), to, from);
    }
    if (verb === 'unblock') this.blocks = without(this.blocks, from, to);
    return 'none';
  }

  hidden(viewer: number, other: number): boolean {
    return has(this.blocks, viewer, other) || has(this.blocks, other, viewer);
  }

  #seenBy(viewer: number | undefined, list: readonly number[]): number[] {
    return list.filter((other) => viewer === undefined || !this.hidden(viewer, other)).toReversed();
  }

  followers(of: number, viewer: number | undefined): number[] {
    const list = this.follows.filter(({ to }) => to === of).map(({ from }) => from);
    return this.#seenBy(viewer, list);
  }

  following(of: number, viewer: number | undefined): number[] {
    const list = this.follows.filter(({ from }) => from === of).map(({ to }) => to);
    return this.#seenBy(viewer, list);
  }

  common(of: number, viewer: number): number[] {
    return this.following(of, viewer).filter((to) => has(this.follows, viewer, to));
  }

  friends(of: number): number[] {
    return this.following(of, of).filter((to) => has(this.follows, to, of));
  }

  muted(of: number): number[] {
    return this.#seenBy(
      of,
      this.mutes.filter(({ from }) => from === of).map(({ to }) => to),
    );
  }

  blocked(of: number): number[] {
    return this.blocks
      .filter(({ from }) => from === of)
      .map(({ to }) => to)
      .toReversed();
  }
}

const has = (edges: readonly Edge[], from: number, to: number) =>
  edges.some((edge) => edge.from === from && edge.to === to);
const without = (edges: readonly Edge[], from: number, to: number) =>
  edges.filter((edge) => edge.from !== from || edge.to !== to);
const withEdge = (edges: Edge[], from: number, to: number) =>
  has(edges, from, to) ? edges : [...edges, { from, to }];

type List = (request: { cursor?: string; limit: number }) => Promise<Page<UserListItem>>;

/** Every page one after another, down to the end. */
async function walk(list: List, limit: number, between?: () => Promise<void>): Promise<UserListItem[]> {
  const seen: UserListItem[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<UserListItem> = await list(cursor === null ? { limit } : { cursor, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    seen.push(...page.items);
    cursor = page.nextCursor;
    if (cursor !== null) await between?.();
  } while (cursor !== null);
  return seen;
}

async function compare(model: Model, ids: readonly string[], limit: number): Promise<void> {
  const { lists } = t.graph;
  const idOf = (person: number) => ids[person] ?? '';
  const expectList = async (name: string, list: List, expected: readonly number[]) =>
    expect([name, (await walk(list, limit)).map(({ id }) => ids.indexOf(id))]).toEqual([name, [...expected]]);
  for (let of = 0; of < ids.length; of++) {
    const me = idOf(of);
    await expectList(`friends of ${of}`, (request) => lists.friends(me, request), model.friends(of));
    await expectList(`muted by ${of}`, (request) => lists.muted(me, request), model.muted(of));
    await expectList(`blocked by ${of}`, (request) => lists.blocked(me, request), model.blocked(of));
    for (const viewer of [undefined, of, (of + 1) % ids.length]) {
      const by = viewer === undefined ? undefined : idOf(viewer);
      const name = `of ${of} seen by ${viewer}`;
      await expectList(`followers ${name}`, (r) => lists.followers(by, me, r), model.followers(of, viewer));
      await expectList(`following ${name}`, (r) => lists.following(by, me, r), model.following(of, viewer));
      if (viewer !== undefined && by !== undefined && viewer !== of)
        await expectList(`common ${name}`, (r) => lists.common(by, me, r), model.common(of, viewer));
    }
    const { counts } = await t.accounts.profiles.account(me);
    expect(counts).toMatchObject({
      followers: model.followers(of, undefined).length,
      following: model.following(of, undefined).length,
    });
    const relations = await t.graph.relations(me, ids);
    for (let to = 0; to < ids.length; to++) {
      expect(relations.get(idOf(to))).toEqual({
        self: to === of,
        following: has(model.follows, of, to),
        followedBy: has(model.follows, to, of),
        muted: has(model.mutes, of, to),
        blocked: has(model.blocks, of, to),
      });
      const visible = await codeOf(t.graph.resolve(idOf(to), me));
      expect(visible).toBe(to !== of && has(model.blocks, to, of) ? 'not-found' : 'none');
    }
  }
}

const person = fc.nat({ max: CROWD - 1 });
const verb = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Verb>('follow') },
  { weight: 2, arbitrary: fc.constant<Verb>('unfollow') },
  { weight: 2, arbitrary: fc.constantFrom<Verb>('mute', 'unmute') },
  { weight: 2, arbitrary: fc.constantFrom<Verb>('block', 'unblock') },
);
const step = fc.record({ verb, from: person, to: person });

describe('the graph', () => {
  test('answers like a plain list of pairs after any changes, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, limit) => {
          const ids = await newCrowd();
          const model = new Model();
          for (const { verb, from, to } of steps) {
            const outcome = await codeOf(t.graph.edges[verb](ids[from] ?? '', ids[to] ?? ''));
            expect([verb, from, to, outcome]).toEqual([verb, from, to, model.apply(verb, from, to)]);
          }
          await compare(model, ids, limit);
        },
      ),
      { numRuns: 15 },
    );
  }, 60_000);

  test('keeps counts, blocks and follows right when everything happens at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
        const ids = await newCrowd();
        const idOf = (person: number) => ids[person] ?? '';
        await Promise.all(
          steps.map(({ verb, from, to }) =>
            t.graph.edges[verb](idOf(from), idOf(to)).catch((error: unknown) => {
              if (!(error instanceof AppError) || error.status >= 500) throw error;
            }),
          ),
        );
        const { sql } = t.db;
        await t.counters.fold();
        const wrong = await sql`
          select account.id from account join account_counts on account_id = account.id
            left join counter on counter.id = account.id and metric = 9
          where coalesce(total, 0) <> (select count(*) from follow where followee_id = account.id)
            or following <> (select count(*) from follow where follower_id = account.id)`;
        expect(wrong).toEqual([]);
        const blockedFollows = await sql`
          select 1 from follow join block on (blocker_id, blocked_id) = (follower_id, followee_id)
            or (blocker_id, blocked_id) = (followee_id, follower_id)`;
        expect(blockedFollows).toEqual([]);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  test('pages have no holes and no doubles while edges come and go', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ add: fc.nat({ max: 2 }), remove: fc.array(fc.nat({ max: 23 }), { maxLength: 3 }) }),
        ),
        fc.integer({ min: 1, max: 7 }),
        async (changes, limit) => {
          const center = await newPerson();
          const crowd = await Promise.all(Array.from({ length: 24 }, newPerson));
          for (const id of crowd) await t.graph.edges.follow(id, center);
          const removed = new Set<string>();
          const added = new Set<string>();
          let turn = 0;
          const seen = await walk(
            (request) => t.graph.lists.followers(undefined, center, request),
            limit,
            async () => {
              const change = changes[turn++];
              for (const index of change?.remove ?? []) {
                const id = crowd[index] ?? '';
                removed.add(id);
                await t.graph.edges.unfollow(id, center);
              }
              for (let n = 0; n < (change?.add ?? 0); n++) {
                const id = await newPerson();
                added.add(id);
                await t.graph.edges.follow(id, center);
              }
            },
          );
          const ids = seen.map(({ id }) => id);
          expect(new Set(ids).size).toBe(ids.length);
          const steady = crowd.filter((id) => !removed.has(id)).toReversed();
          expect(ids.filter((id) => crowd.includes(id) && !removed.has(id))).toEqual(steady);
          // What is newer than the first page stands above it.
          expect(ids.filter((id) => added.has(id))).toEqual([]);
        },
      ),
      { numRuns: 12 },
    );
  }, 60_000);

  test('a list’s cursor is good for that list and that viewer only', async () => {
    const { edges, lists } = t.graph;
    const ids = await newCrowd();
    const [center = '', one = '', two = ''] = ids;
    for (const id of [one, two]) await edges.follow(id, center);
    for (const id of [one, two]) await edges.follow(center, id);
    const { nextCursor } = await lists.followers(undefined, center, { limit: 1 });
    const cursor = nextCursor ?? '';
    expect((await lists.followers(undefined, center, { limit: 1, cursor })).items.length).toBe(1);
    const refused = [
      lists.following(undefined, center, { limit: 1, cursor }),
      lists.followers(undefined, one, { limit: 1, cursor }),
      lists.friends(center, { limit: 1, cursor }),
      lists.followers(undefined, center, {
        limit: 1,
        cursor: cursor.replace(/\.(.)/, (_, first) => (first === 'A' ? '.B' : '.A')),
      }),
    ];
    for (const list of refused) expect(await codeOf(list)).toBe('invalid-cursor');
  });
});
