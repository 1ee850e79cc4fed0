import { expect, test } from 'bun:test';
import type { Relation } from '@hvideo/protocol';
import { applyAction, patchPerson } from './patch-person.ts';

const stranger: Relation = { self: false, following: false, followedBy: true, muted: false, blocked: false };

test('blocking ends following in both directions', () => {
  expect(applyAction({ ...stranger, following: true }, 'block')).toEqual({
    ...stranger,
    followedBy: false,
    blocked: true,
  });
});

test('a profile gains a follower once', () => {
  const profile = { id: '1', counts: { followers: 5, following: 0, videos: 0 }, relation: stranger };
  const followed = patchPerson(profile, '1', 'follow');
  expect(followed).toMatchObject({ counts: { followers: 6 }, relation: { following: true } });
  expect(patchPerson(followed, '1', 'follow')).toMatchObject({ counts: { followers: 6 } });
  expect(patchPerson(followed, '1', 'unfollow')).toMatchObject({ counts: { followers: 5 } });
});

test('cards of the author change in every page, and others keep their identity', () => {
  const card = (id: string, authorId: string) => ({
    id,
    author: { id: authorId },
    viewer: { own: false, following: false },
  });
  const data = { pages: [{ items: [card('10', '1'), card('11', '2')] }, { items: [card('12', '2')] }] };
  const next = patchPerson(data, '1', 'follow');
  expect(next).toMatchObject({ pages: [{ items: [{ viewer: { following: true } }, {}] }, {}] });
  expect(patchPerson(data, '3', 'follow')).toBe(data);
});
