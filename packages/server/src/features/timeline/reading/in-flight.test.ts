import { expect, test } from 'bun:test';
import { systemClock } from '../../../kernel/clock.ts';
import type { Announcements, Follower } from '../../../ports/announcements/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import { entryFact } from '../facts.ts';
import { InFlight, withEntry } from './in-flight.ts';

const entry = (key: string, authorId = '1'): Entry => ({ key, authorId, videoId: `9${key}` });

/** Followers to be called by hand, and a table that answers when it is told to. */
function inFlightOver(answers: Promise<readonly Entry[]>[]) {
  const followers = new Map<string, Follower>();
  const announcements = {
    follow: (kind: string, follower: Follower) => void followers.set(kind, follower),
  } as Pick<Announcements, 'follow'> as Announcements;
  const sql = () => answers.shift() ?? Promise.resolve([]);
  const heard: string[] = [];
  let resets = 0;
  const inFlight = new InFlight({
    ...{ announcements, clock: systemClock, maxEntries: 3 },
    db: { sql } as unknown as Database,
    onEntry: ({ key }) => heard.push(key),
    onReset: () => {
      resets += 1;
    },
  });
  const hear = (...entries: Entry[]) =>
    followers.get('entry')!.hear(entries.map((each) => entryFact(each).text));
  const settle = (...keys: string[]) => followers.get('settled')!.hear(keys);
  return {
    inFlight,
    heard,
    hear,
    settle,
    reset: () => followers.get('entry')!.reset(),
    resets: () => resets,
  };
}

test('entries of an author are newest first, once, until they settle', () => {
  const { inFlight, hear, settle } = inFlightOver([]);
  hear(entry('5'), entry('7'), entry('6'), entry('7'));
  expect(inFlight.of('1').map(({ key }) => key)).toEqual(['7', '6', '5']);
  settle('6', '8');
  expect(inFlight.of('1').map(({ key }) => key)).toEqual(['7', '5']);
  expect(inFlight.of('2')).toEqual([]);
});

test('beyond its bound it keeps authors in place of entries', () => {
  const { inFlight, hear } = inFlightOver([]);
  hear(entry('1'), entry('2'), entry('3'), entry('4', '2'));
  expect([inFlight.size, [...inFlight.crowded]]).toEqual([3, ['2']]);
});

test('what was known stays until a reset has read what is true, for pages that are under way', async () => {
  const { promise, resolve } = Promise.withResolvers<readonly Entry[]>();
  const { inFlight, hear, reset, resets } = inFlightOver([promise]);
  hear(entry('5'));
  const done = reset();
  expect(resets()).toBe(1);
  expect(inFlight.of('1').map(({ key }) => key)).toEqual(['5']);
  resolve([entry('7'), entry('6')]);
  await done;
  expect(inFlight.of('1').map(({ key }) => key)).toEqual(['7', '6']);
});

test('an entry finds its place among others', () => {
  const entries = [entry('30'), entry('20'), entry('10')];
  expect(withEntry(entries, entry('25')).map(({ key }) => key)).toEqual(['30', '25', '20', '10']);
  expect(withEntry(entries, entry('20'))).toBe(entries);
});
