import { expect, test } from 'bun:test';
import type { Fences, LoadFences } from './port.ts';

export interface FencesUnderTest extends AsyncDisposable {
  /** A node: another call is another node on the same store, where the adapter can be shared. */
  open(load: LoadFences): Promise<Fences>;
  /** Empties the store as a crash would; undefined where it lives and dies with the node. */
  lose?(): Promise<void>;
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

  test('what the truth knows stands before anything is answered', async () => {
    await using under = await create();
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    const opening = under.open(() => promise);
    const answer = opening.then((fences) => fences.isRaised('video:7'));
    resolve(['video:7']);
    expect(await answer).toBe(true);
  });

  test('a store that lost everything is filled before it answers', async () => {
    await using under = await create();
    if (!under.lose) return;
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
