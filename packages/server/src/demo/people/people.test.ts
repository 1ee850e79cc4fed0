import { describe, expect, test } from 'bun:test';
import { DisplayName, Locale, me, Username } from '@hvideo/protocol';
import fc from 'fast-check';
import { Canvas } from '../art/canvas.ts';
import { seeded, seedOf } from '../art/seeded.ts';
import { bmpOf } from './bmp.ts';
import { followsOf } from './follows.ts';
import { paintPortrait } from './portraits.ts';
import { roster } from './roster.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('the people of the demo', () => {
  test.each(roster.map((person) => [person.username, person] as const))(
    '%s could have joined',
    (_, person) => {
      expect(Username.parse(person.username)).toBe(person.username);
      expect(DisplayName.parse(person.displayName)).toBe(person.displayName);
      expect(Locale.parse(person.locale)).toBe(person.locale);
      expect(me.update.body?.parse({ bio: person.bio }).bio).toBe(person.bio);
    },
  );

  test('are different people of both languages', () => {
    expect(new Set(roster.map(({ username }) => username)).size).toBe(roster.length);
    expect(new Set(roster.map(({ displayName }) => displayName)).size).toBe(roster.length);
    for (const locale of ['en', 'zh'])
      expect(roster.filter((person) => person.locale === locale).length).toBeGreaterThanOrEqual(10);
  });

  test('have portraits that differ, the same each time', () => {
    const edge = 48;
    const pictures = roster.map((person) => {
      const canvas = new Canvas(edge, edge);
      const again = new Canvas(edge, edge);
      paintPortrait(canvas, person, seeded(seedOf(person.username)));
      paintPortrait(again, person, seeded(seedOf(person.username)));
      expect(canvas.rgb).toEqual(again.rgb);
      return Bun.hash(canvas.rgb).toString();
    });
    expect(new Set(pictures).size).toBe(roster.length);
  });
});

describe('who follows whom', () => {
  test('is decided by the seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(followsOf(roster, seed)).toEqual(followsOf(roster, seed));
      }),
      { numRuns: 20 },
    );
    expect(followsOf(roster, 1)).not.toEqual(followsOf(roster, 2));
  });

  test('has nobody follow themselves, or somebody twice', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const follows = followsOf(roster, seed);
        expect(follows.every(({ follower, followee }) => follower !== followee)).toBe(true);
        expect(new Set(follows.map(({ follower, followee }) => `${follower} ${followee}`)).size).toBe(
          follows.length,
        );
        expect(new Set(follows.map(({ follower }) => follower)).size).toBe(roster.length);
      }),
      { numRuns: 50 },
    );
  });

  test('is skewed: few are followed by many', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const followers = roster.map(
          ({ username }) => followsOf(roster, seed).filter(({ followee }) => followee === username).length,
        );
        const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
        const quarter = roster.length / 4;
        expect(sum(followers.slice(0, quarter))).toBeGreaterThan(2 * sum(followers.slice(-quarter)));
      }),
      { numRuns: 100 },
    );
  });
});

test('a picture is written with blue first, from the top down', () => {
  const bytes = bmpOf(Uint8ClampedArray.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 4, 1);
  const view = new DataView(bytes.buffer);
  expect([view.getInt32(18, true), view.getInt32(22, true), view.getUint32(2, true)]).toEqual([4, -1, 66]);
  expect([...bytes.slice(54, 60)]).toEqual([3, 2, 1, 6, 5, 4]);
});
