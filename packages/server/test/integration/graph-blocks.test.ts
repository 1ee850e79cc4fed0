import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Page, UserListItem, UserProfile } from '@hvideo/protocol';
import { type AccountsStack, accountsStack } from '../support/accounts-stack.ts';
import { ApiUser } from '../support/api.ts';

let t: AccountsStack;
let count = 0;

beforeAll(async () => {
  t = await accountsStack();
}, 30_000);
afterAll(async () => t[Symbol.asyncDispose]());

const member = () => new ApiUser(t.url).join(`edge_${count++}`);
const change = async (by: ApiUser, method: 'PUT' | 'DELETE', edge: string, whom: ApiUser) => {
  const answer = await by.call(method, `/users/${whom.id}/${edge}`);
  return answer.status === 204 ? 'done' : answer.body.code;
};
const namesIn = async (by: ApiUser, path: string) =>
  (await by.call<Page<UserListItem>>('GET', path)).body.items.map(({ id }) => id);
const relation = async (by: ApiUser, whom: ApiUser) =>
  (await by.call<UserProfile>('GET', `/users/${whom.id}`)).body.relation;

describe('a block', () => {
  test('hides both from each other, in profiles and in other people’s lists, from the next request on', async () => {
    const [ann, bob, star] = [await member(), await member(), await member()];
    for (const fan of [ann, bob]) await change(fan, 'PUT', 'follow', star);
    await change(star, 'PUT', 'follow', ann);
    await change(bob, 'PUT', 'follow', ann);
    expect(await change(ann, 'PUT', 'block', bob)).toBe('done');
    expect((await bob.call('GET', `/users/${ann.id}`)).body.code).toBe('not-found');
    expect(await relation(ann, bob)).toMatchObject({ blocked: true, followedBy: false });
    expect(await namesIn(bob, `/users/${star.id}/followers`)).toEqual([bob.id]);
    expect(await namesIn(ann, `/users/${star.id}/followers`)).toEqual([ann.id]);
    expect(await namesIn(bob, `/users/${star.id}/following`)).toEqual([]);
    expect(await namesIn(bob, `/users/${star.id}/common-following`)).toEqual([]);
    for (const list of ['followers', 'following', 'common-following'])
      expect((await bob.call('GET', `/users/${ann.id}/${list}`)).body.code).toBe('not-found');
    // A visitor sees both: a block is between two people.
    expect(await namesIn(new ApiUser(t.url), `/users/${star.id}/followers`)).toEqual([bob.id, ann.id]);
  });

  test('can be answered with a block, and each lifts their own', async () => {
    const [ann, bob] = [await member(), await member()];
    await change(ann, 'PUT', 'block', bob);
    expect(await change(bob, 'PUT', 'block', ann)).toBe('done');
    expect(await namesIn(bob, '/users/me/blocks')).toEqual([ann.id]);
    expect(await change(ann, 'DELETE', 'block', bob)).toBe('done');
    expect(await change(ann, 'PUT', 'follow', bob)).toBe('not-found');
    expect(await change(bob, 'PUT', 'follow', ann)).toBe('blocked');
    expect(await change(bob, 'DELETE', 'block', ann)).toBe('done');
    expect(await change(ann, 'PUT', 'follow', bob)).toBe('done');
  });

  test('lifted brings no follow back', async () => {
    const [ann, bob] = [await member(), await member()];
    await change(ann, 'PUT', 'follow', bob);
    await change(bob, 'PUT', 'follow', ann);
    await change(bob, 'PUT', 'block', ann);
    await change(bob, 'DELETE', 'block', ann);
    expect(await relation(ann, bob)).toEqual({
      ...{ self: false, following: false, followedBy: false, muted: false, blocked: false },
    });
  });
});

test('what one has done to somebody who is suspended now can be taken back', async () => {
  const [ann, bob, chief] = [await member(), await member(), await member()];
  await t.accounts.administration.setRole(chief.id, 'moderator');
  await change(ann, 'PUT', 'follow', bob);
  await change(ann, 'PUT', 'mute', bob);
  await chief.call('PUT', `/users/${bob.id}/suspension`, { body: { reason: 'x' } });
  expect(await namesIn(ann, '/users/me/mutes')).toEqual([]);
  expect(await change(ann, 'DELETE', 'follow', bob)).toBe('done');
  expect(await change(ann, 'DELETE', 'mute', bob)).toBe('done');
  expect(await change(ann, 'PUT', 'follow', bob)).toBe('not-found');
  await chief.call('DELETE', `/users/${bob.id}/suspension`);
  expect(await relation(ann, bob)).toMatchObject({ following: false, muted: false });
});

test('every change may be repeated, by id and by name, and none may be made to oneself or to nobody', async () => {
  const [ann, bob] = [await member(), await member()];
  for (const edge of ['follow', 'mute', 'block']) {
    for (const method of ['PUT', 'PUT', 'DELETE', 'DELETE'] as const)
      expect([edge, method, await change(ann, method, edge, bob)]).toEqual([edge, method, 'done']);
    for (const method of ['PUT', 'DELETE'] as const) {
      expect(await change(ann, method, edge, ann)).toBe('cannot-target-self');
      for (const nobody of ['@nobody_here', '9223372036854775807', '9999999999999999999'])
        expect((await ann.call(method, `/users/${nobody}/${edge}`)).body.code).toBe('not-found');
    }
  }
  const { counts } = (await bob.call<UserProfile>('GET', '/users/me')).body;
  expect(counts).toMatchObject({ followers: 0, following: 0 });
});
