import { expect, test } from 'bun:test';
import type { Fences, LoadFences } from './port.ts';

export interface FencesUnderTest extends AsyncDisposable {
  /** Another node. */
  open(load: LoadFences): Promise<Fences>;
  /** What the nodes share is lost as by a crash. */
  lose(): Promise<void>;
}

/** What every adapter of `Fences` promises. */
export function fencesContract(create: () => Promise<FencesUnderTest>): void {
  test('a raised fence stands, and no other', async () => {
    await using under = await create();
    const fences = await under.open(async () => []);
    expect(await fences.isRaised('video:1')).toBe(false);
    await fences.raise(['video:1', 'video:2']);
    await fences.raise(['video:1']);
    expect(await fences.isRaised('video:1')).toBe(true);
    expect(await fences.isRaised('video:2')).toBe(true);
    expect(await fences.isRaised('video:12')).toBe(false);
  });

  test('it stands on every node, for many names in one look too', async () => {
    await using under = await create();
    const [one, other] = [
      await under.open(async () => ['video:1']),
      await under.open(async () => ['video:1']),
    ];
    expect(await other.raisedAmong(['video:1', 'video:2'])).toEqual(['video:1']);
    const names = Array.from({ length: 2_500 }, (_, at) => `video:${at + 3}`);
    const { heardTimes } = other;
    await one.raise(names);
    expect(await other.raisedAmong(['video:9', 'video:2', 'video:2502', 'video:1', 'video:2503'])).toEqual([
      'video:9',
      'video:2502',
      'video:1',
    ]);
    expect(other.heardTimes).toBeGreaterThan(heardTimes);
    expect(['video:1', 'video:2', 'video:3'].map((name) => other.hasHeard(name))).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('what the truth knows stands before anything is answered', async () => {
    await using under = await create();
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    const opening = under.open(() => promise);
    const answer = opening.then((fences) => fences.isRaised('video:7'));
    resolve(['video:7']);
    expect(await answer).toBe(true);
  });

  test('when what they share is lost, the truth is read before anything is answered', async () => {
    await using under = await create();
    const truth = ['video:7'];
    const [one, other] = [await under.open(async () => truth), await under.open(async () => truth)];
    await one.raise(['video:8']);
    truth.push('video:8');
    await under.lose();
    expect(await Promise.all(['video:7', 'video:8', 'video:9'].map((name) => other.isRaised(name)))).toEqual([
      true,
      true,
      false,
    ]);
  });
}
