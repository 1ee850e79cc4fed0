import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { GRAPH_KIND, readEpoch } from '../../src/features/graph/index.ts';
import { AppError } from '../../src/kernel/errors.ts';
import type { Idempotency } from '../../src/ports/database/port.ts';
import { type AccountsStack, accountsStack } from '../support/accounts-stack.ts';
import { ApiUser, passwordOf } from '../support/api.ts';

let t: AccountsStack;
let count = 0;
/** The newest epoch that was announced of each account. */
const heard = new Map<string, string>();

beforeAll(async () => {
  t = await accountsStack();
  t.announcements.follow(GRAPH_KIND, {
    hear: (texts) => {
      for (const text of texts) {
        const { accountId, epoch } = readEpoch(text);
        heard.set(accountId, epoch);
      }
    },
    reset: async () => {},
  });
  await t.announcements.catchUp();
}, 30_000);
afterAll(async () => t[Symbol.asyncDispose]());
beforeEach(() => heard.clear());

const member = () => new ApiUser(t.url).join(`epoch_${count++}`);

/** What `work` has announced, in the order of `people`. */
async function announcedBy(work: () => Promise<unknown>, ...people: readonly ApiUser[]) {
  heard.clear();
  await work();
  const names = people.map(({ id }) => id);
  expect([...heard.keys()].filter((id) => !names.includes(id))).toEqual([]);
  return names.map((id) => heard.get(id));
}

test('whatever changes a graph is announced before the answer: of the viewer, and of both for a block', async () => {
  const [ann, bob] = [await member(), await member()];
  const [a, b] = [ann.id, bob.id];
  const { edges } = t.graph;
  const steps: [string, () => Promise<void>, (string | undefined)[]][] = [
    ['follow', () => edges.follow(a, b), ['1', undefined]],
    ['follow back', () => edges.follow(b, a), [undefined, '1']],
    ['mute', () => edges.mute(a, b), ['2', undefined]],
    ['unmute', () => edges.unmute(a, b), ['3', undefined]],
    ['unfollow', () => edges.unfollow(a, b), ['4', undefined]],
    ['block', () => edges.block(a, b), ['5', '2']],
    ['unblock', () => edges.unblock(a, b), ['6', '3']],
  ];
  for (const [name, step, epochs] of steps) {
    expect([name, await announcedBy(step, ann, bob)]).toEqual([name, epochs]);
    // A second time it changes nothing, and is announced as it is.
    expect([name, await announcedBy(step, ann, bob)]).toEqual([name, epochs]);
  }
});

test('a change that could not be announced is answered `timeout`, and announced by its repetition', async () => {
  const [ann, bob] = [await member(), await member()];
  const idempotency: Idempotency = { accountId: ann.id, key: 'follow once', requestHash: '1' };
  const { announce } = t.announcements;
  for (const each of [undefined, idempotency]) {
    t.announcements.announce = () => Promise.reject(new AppError('timeout'));
    try {
      await expect(t.graph.edges.follow(ann.id, bob.id, each)).rejects.toMatchObject({
        ...{ code: 'timeout', outcome: 'unknown' },
      });
    } finally {
      t.announcements.announce = announce;
    }
    expect(await announcedBy(() => t.graph.edges.follow(ann.id, bob.id, each), ann)).not.toEqual([undefined]);
  }
  expect(heard.get(ann.id)).toBe('1');
});

test('who followed an account that is deleted hears of it', async () => {
  const starName = `epoch_${count}`;
  const [star, fan, friend, stranger] = [await member(), await member(), await member(), await member()];
  await t.graph.edges.follow(fan.id, star.id);
  await t.graph.edges.follow(friend.id, star.id);
  await t.graph.edges.follow(star.id, friend.id);
  await t.graph.edges.follow(stranger.id, fan.id);
  const remove = async () => {
    const body = { password: passwordOf(starName) };
    expect((await star.call('DELETE', '/users/me', { body })).status).toBe(204);
  };
  expect(await announcedBy(remove, fan, friend, stranger)).toEqual(['2', '2', undefined]);
});
