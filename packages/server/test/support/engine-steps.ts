import type { VideoVisibility } from '@hvideo/protocol';
import fc from 'fast-check';
import { type Change, PEOPLE, type Work } from './engine-history.ts';

const person = fc.nat(PEOPLE - 1);
const pair = fc.tuple(person, person).filter(([a, b]) => a !== b);
const visibility = fc.constantFrom<VideoVisibility>('public', 'public', 'followers', 'private', 'unlisted');
const video = fc.nat(30);
const worker = fc.nat(1);

export const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('publish' as const), by: person, visibility }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'takedown' as const), video }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), video, visibility }) },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ by: person, video },
      kind: fc.constantFrom('repost' as const, 'repost' as const, 'unrepost' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      pair,
      kind: fc.constantFrom(
        ...(['follow', 'follow', 'follow', 'unfollow', 'mute', 'unmute', 'block', 'unblock'] as const),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('suspend' as const, 'unsuspend' as const), by: person }),
  },
);

export const work: fc.Arbitrary<Work> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('promote' as const, 'promote' as const, 'demote' as const),
      ...{ reader: person, author: person },
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('promote' as const, 'promote' as const, 'demote' as const),
      reader: person,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rebuild' as const), reader: person }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('share' as const), author: person }) },
  {
    weight: 10,
    arbitrary: fc.record({
      ...{ kind: fc.constant('turn' as const), worker },
      stage: fc.constantFrom(...(['fresh', 'fresh', 'large', 'large', 'rest', 'done'] as const)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), worker }) },
);

export type Mishap = {
  readonly kind: 'loseStore' | 'loseAnnouncements' | 'refuse' | 'refuseHeard' | 'pass' | 'replaceWorker';
};

export const mishap: fc.Arbitrary<Mishap> = fc.record({
  kind: fc.constantFrom(
    ...([
      'loseStore',
      'loseAnnouncements',
      'refuse',
      'refuseHeard',
      'pass',
      'pass',
      'pass',
      'replaceWorker',
    ] as const),
  ),
});
