import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { modelContract } from './contract-model.ts';
import { largestOf } from './entries.ts';
import {
  type Entry,
  MAX_CAPACITY,
  MAX_PUSHES,
  type Merge,
  type Shelf,
  type ShelfPage,
  type TimelineStore,
} from './port.ts';

export interface TimelineStoreFactory {
  readonly store: TimelineStore;
  /** Another node on the same store; the same object where there is only one node. */
  readonly second: TimelineStore;
  readonly idleMs: number;
  /** Lets the store's time pass, and what drops idle shelves run. */
  elapse(ms: number): Promise<void>;
  /** Makes the store lose what it acknowledged since `save`, and come back. */
  readonly loseWrites: { save(): Promise<void>; restart(): Promise<void> };
  close(): Promise<void>;
}

const entry = (key: number | string | bigint): Entry => ({
  key: String(key),
  authorId: String(BigInt(key) % 7n),
  videoId: String(BigInt(key) / 2n),
});
const entries = (newest: number, oldest: number): Entry[] =>
  Array.from({ length: newest - oldest + 1 }, (_, at) => entry(newest - at));
const keysOf = (page: ShelfPage) => page.entries.map(({ key }) => Number(key));
const numbers = (newest: number, oldest: number) => entries(newest, oldest).map(({ key }) => Number(key));

/** What every adapter of `TimelineStore` promises. */
export function timelineStoreContract(name: string, factory: () => Promise<TimelineStoreFactory>): void {
  describe(`TimelineStore contract: ${name}`, () => {
    let made: TimelineStoreFactory;
    let store: TimelineStore;
    let second: TimelineStore;
    let nextId = 1_000;
    beforeAll(async () => {
      made = await factory();
      ({ store, second } = made);
    });
    afterAll(() => made.close());

    const newShelf = (kind: Shelf['kind'] = 'inbox'): Shelf => ({ kind, ownerId: String(++nextId) });
    const push = (shelf: Shelf, ...more: Entry[]) => store.push(more.map((each) => ({ shelf, entry: each })));
    const read = async (shelf: Shelf, limit = 2_000, before?: string, from = second) =>
      (await from.read([{ shelf, before, limit }]))[0]!;
    const all = (more: Partial<Merge> = {}): Merge => ({
      ...{ entries: [], completeDownTo: '0', isLast: true },
      ...more,
    });
    const ready = async (capacity = 100, more: Partial<Merge> = {}, shelf = newShelf()) => {
      const token = await store.begin(shelf, capacity);
      expect(await store.merge(shelf, all({ token, ...more }))).toBe(true);
      return shelf;
    };

    test('a shelf that nobody began is cold and keeps nothing', async () => {
      const shelf = newShelf();
      const before = await store.stats();
      await push(shelf, entry(1));
      expect(await store.merge(shelf, all({ entries: [entry(2)] }))).toBe(false);
      await store.remove([{ shelf, key: '1' }]);
      expect(await read(shelf)).toEqual({ state: 'cold', floor: '0', entries: [], hasMore: false });
      const { shelves, entries: count } = await store.stats();
      expect([shelves, count]).toEqual([before.shelves, before.entries]);
      await ready(100, {}, shelf);
      expect((await read(shelf)).entries).toEqual([]);
    });

    test('what is pushed while it is built is there when it is ready, beside what is merged', async () => {
      const shelf = newShelf();
      const token = await store.begin(shelf, 100);
      await push(shelf, entry(30));
      expect(await read(shelf)).toEqual({ state: 'building', floor: '0', entries: [], hasMore: false });
      expect(await store.merge(shelf, all({ token, entries: entries(12, 10), isLast: false }))).toBe(true);
      expect(await store.merge(shelf, all({ entries: [entry(20)] }))).toBe(true);
      expect((await read(shelf)).state).toBe('building');
      await push(shelf, entry(31), entry(9));
      expect(await store.merge(shelf, all({ token, entries: [entry(11), entry(5)] }))).toBe(true);
      const page = await read(shelf);
      expect(page).toMatchObject({ state: 'ready', floor: '0', hasMore: false });
      expect(page.entries).toEqual([31, 30, 20, 12, 11, 10, 9, 5].map(entry));
    });

    test('a shelf that was begun anew or dropped refuses the token from before, and nothing changes', async () => {
      const [anew, dropped] = [newShelf(), newShelf()];
      const old = await Promise.all([anew, dropped].map((shelf) => store.begin(shelf, 100)));
      const token = await second.begin(anew, 100);
      await store.drop([dropped]);
      for (const [at, shelf] of [anew, dropped].entries())
        expect(await store.merge(shelf, all({ token: old[at], entries: [entry(1)] }))).toBe(false);
      expect((await read(anew)).state).toBe('building');
      expect((await read(dropped)).state).toBe('cold');
      expect(await store.merge(anew, all({ token }))).toBe(true);
      expect(await read(anew)).toMatchObject({ state: 'ready', entries: [] });
    });

    test('a ready shelf that is begun anew is empty and building', async () => {
      const shelf = await ready(100, { entries: entries(9, 1) });
      const token = await store.begin(shelf, 50);
      expect((await read(shelf)).state).toBe('building');
      await store.merge(shelf, all({ token, completeDownTo: '3' }));
      expect(await read(shelf)).toEqual({ state: 'ready', floor: '3', entries: [], hasMore: false });
    });

    test('the floor is the highest of all merges, only rises, and nothing below it is kept', async () => {
      const shelf = newShelf();
      const token = await store.begin(shelf, 100);
      await store.merge(shelf, all({ token, entries: entries(60, 50), completeDownTo: '50', isLast: false }));
      await store.merge(shelf, all({ token, entries: entries(60, 40), completeDownTo: '40' }));
      expect(await read(shelf)).toMatchObject({ floor: '50', hasMore: false });
      expect(keysOf(await read(shelf))).toEqual(numbers(60, 50));
      await push(shelf, entry(49));
      expect(keysOf(await read(shelf))).toEqual(numbers(60, 50));
      expect(await store.merge(shelf, all({ completeDownTo: '55' }))).toBe(true);
      await push(shelf, entry(55), entry(54), entry(61));
      await store.merge(shelf, all({ completeDownTo: '52', entries: [entry(53)] }));
      const page = await read(shelf);
      expect([page.floor, keysOf(page)]).toEqual(['55', numbers(61, 55)]);
    });

    test('a shelf that outgrows its capacity by a quarter is cut to it, and its floor is its oldest entry', async () => {
      for (const capacity of [1, 3, 10, 100]) {
        const shelf = await ready(capacity);
        const largest = largestOf(capacity);
        await push(shelf, ...entries(largest, 1));
        expect(await read(shelf)).toMatchObject({ floor: '0', entries: entries(largest, 1) });
        await push(shelf, entry(largest + 1));
        const oldest = largest + 2 - capacity;
        const page = await read(shelf);
        expect(page).toMatchObject({ floor: String(oldest), entries: entries(largest + 1, oldest) });
        await store.merge(shelf, all({ entries: entries(500, 1) }));
        expect(await read(shelf)).toMatchObject({ floor: String(501 - capacity), hasMore: false });
      }
    });

    test('an entry is there once, however often it is pushed, merged or taken out', async () => {
      const shelf = await ready(100, { entries: [entry(3), entry(3), entry(2)] });
      await push(shelf, entry(3), entry(4), entry(4));
      await Promise.all(
        Array.from({ length: 20 }, (_, at) => (at % 2 ? store : second).push([{ shelf, entry: entry(4) }])),
      );
      expect(keysOf(await read(shelf))).toEqual([4, 3, 2]);
      await store.remove([
        { shelf, key: '3' },
        { shelf, key: '3' },
        { shelf, key: '99' },
      ]);
      await second.remove([{ shelf, key: '3' }]);
      expect(keysOf(await read(shelf))).toEqual([4, 2]);
      // Pushed again and again it does not count towards the capacity.
      const small = await ready(4, { entries: entries(5, 1) });
      for (let turn = 0; turn < 20; turn++) await push(small, entry(5), entry(1));
      expect(keysOf(await read(small))).toEqual([5, 4, 3, 2, 1]);
      await push(shelf, entry(3));
      expect(keysOf(await read(shelf))).toEqual([4, 3, 2]);
    });

    test('a read has the newest entries below a key, and says whether there are more', async () => {
      const shelf = await ready(1_000, {
        entries: entries(300, 1).filter(({ key }) => Number(key) % 3 === 0),
      });
      const keys = numbers(300, 1).filter((key) => key % 3 === 0);
      for (let turn = 0; turn < 2; turn++)
        for (const before of [undefined, 1, 3, 4, 150, 151, 152, 290, 300, 301, 9_999])
          for (const limit of [1, 2, 25, 99, 100, 101]) {
            const page = await read(shelf, limit, before === undefined ? undefined : String(before));
            const below = keys.filter((key) => key < (before ?? 10_000));
            expect([keysOf(page), page.hasMore]).toEqual([below.slice(0, limit), below.length > limit]);
          }
    });

    test('several shelves are read in one call, in order; inbox and outbox of one account are two shelves', async () => {
      const owned = { kind: 'inbox', ownerId: String(++nextId) } as const;
      const [inbox, outbox] = [
        await ready(100, {}, owned),
        await ready(100, {}, { ...owned, kind: 'outbox' }),
      ];
      await store.push([
        { shelf: inbox, entry: entry(1) },
        { shelf: outbox, entry: entry(2) },
        { shelf: inbox, entry: entry(3) },
      ]);
      const pages = await second.read([
        { shelf: outbox, limit: 10 },
        { shelf: newShelf(), limit: 10 },
        { shelf: inbox, limit: 1 },
        { shelf: inbox, limit: 10, before: '3' },
      ]);
      expect(pages.map((page) => [page.state, keysOf(page), page.hasMore])).toEqual([
        ['ready', [2], false],
        ['cold', [], false],
        ['ready', [3], true],
        ['ready', [1], false],
      ]);
    });

    test('a dropped shelf is cold, whatever is pushed to it', async () => {
      const [shelf, other] = [
        await ready(100, { entries: [entry(1)] }),
        await ready(100, { entries: [entry(2)] }),
      ];
      await store.drop([shelf, newShelf()]);
      await push(shelf, entry(2));
      expect((await read(shelf)).state).toBe('cold');
      expect(keysOf(await read(other))).toEqual([2]);
    });

    test('a read sees all or nothing of a push of several entries, of a merge, of a cut', async () => {
      const shelf = await ready(20);
      const size = 5;
      let isDone = false;
      const writing = (async () => {
        for (let batch = 1; batch <= 200; batch++) {
          const group = entries(batch * size, (batch - 1) * size + 1);
          if (batch % 2 === 0) await push(shelf, ...group);
          else await store.merge(shelf, all({ entries: group }));
          // A store without any waiting would leave the reader no turn.
          await new Promise<void>((resolve) => setImmediate(resolve));
        }
        isDone = true;
      })();
      let reads = 0;
      while (!isDone) {
        const page = await read(shelf);
        const keys = keysOf(page);
        reads += 1;
        const newest = keys[0] ?? 0;
        expect(newest % size).toBe(0);
        expect(keys).toEqual(numbers(newest, page.floor === '0' ? 1 : Number(page.floor)));
        expect(keys.length).toBeLessThanOrEqual(largestOf(20));
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await writing;
      expect(reads).toBeGreaterThan(1);
    });

    test('keys and ids of 63 bits, the largest capacity, the largest call', async () => {
      const [largest, smallest] = ['9223372036854775807', '1'];
      const id = (value: string): Entry => ({ key: value, authorId: value, videoId: value });
      const shelf = await ready(10, {}, { kind: 'outbox', ownerId: largest });
      await push(shelf, id(largest), id('9223372036854775806'), id(smallest), id('9007199254740993'));
      expect((await read(shelf)).entries.map(({ key }) => key)).toEqual([
        largest,
        '9223372036854775806',
        '9007199254740993',
        smallest,
      ]);
      expect((await read(shelf, 1, largest)).entries).toEqual([id('9223372036854775806')]);
      const many = await Promise.all(Array.from({ length: 20 }, () => ready(MAX_CAPACITY)));
      const pairs = many.flatMap((each) =>
        entries(MAX_PUSHES / 20, 1).map((one) => ({ shelf: each, entry: one })),
      );
      await store.push(pairs);
      for (const page of await second.read(many.map((each) => ({ shelf: each, limit: 1_000 }))))
        expect(keysOf(page)).toEqual(numbers(MAX_PUSHES / 20, 1));
      const one = many[0]!;
      await store.push(entries(MAX_PUSHES, 1).map((each) => ({ shelf: one, entry: each })));
      expect(keysOf(await read(one))).toEqual(numbers(MAX_PUSHES, MAX_PUSHES - MAX_CAPACITY + 1));
      await expect(store.push([...pairs, ...pairs])).rejects.toThrow(RangeError);
      await expect(store.begin(one, MAX_CAPACITY + 1)).rejects.toThrow(RangeError);
      await store.push([]);
      expect(await store.read([])).toEqual([]);
    });

    test('an abort rejects with the reason of the signal', async () => {
      const [shelf, reason] = [await ready(), new Error('gone')];
      const options = { signal: AbortSignal.abort(reason) };
      const calls: (() => unknown)[] = [
        () => store.begin(shelf, 10, options),
        () => store.merge(shelf, all(), options),
        () => store.push([{ shelf, entry: entry(1) }], options),
        () => store.read([{ shelf, limit: 1 }], options),
        () => store.remove([{ shelf, key: '1' }], options),
        () => store.drop([shelf], options),
      ];
      // What answers at once throws at once.
      for (const call of calls) await expect((async () => await call())()).rejects.toBe(reason);
      expect(await read(shelf)).toMatchObject({ state: 'ready', entries: [] });
    });

    modelContract(() => [store, second], newShelf);

    test('a shelf that nobody has read for long is dropped; one that is read stays', async () => {
      const [idle, used] = [
        await ready(100, { entries: [entry(1)] }),
        await ready(100, { entries: [entry(2)] }),
      ];
      for (let turn = 0; turn < 5; turn++) {
        await made.elapse(made.idleMs / 2);
        await push(idle, entry(10 + turn));
        expect((await read(used)).state).toBe('ready');
      }
      expect((await read(idle)).state).toBe('cold');
      expect(keysOf(await read(used))).toEqual([2]);
    });

    test('a store that has lost acknowledged writes is cold, and refuses the tokens from before', async () => {
      const [shelf, building] = [await ready(100, { entries: [entry(1)] }), newShelf()];
      const token = await store.begin(building, 100);
      const { generation } = await store.stats();
      await made.loseWrites.save();
      await push(shelf, entry(2));
      await made.loseWrites.restart();
      for (const each of [shelf, building]) {
        expect((await read(each)).state).toBe('cold');
        expect((await read(each, 10, undefined, store)).state).toBe('cold');
      }
      expect(await store.merge(building, all({ token }))).toBe(false);
      expect(await store.merge(shelf, all({ entries: [entry(3)] }))).toBe(false);
      expect((await store.stats()).generation).not.toBe(generation);
      await ready(100, { entries: [entry(4)] }, shelf);
      expect(keysOf(await read(shelf))).toEqual([4]);
    });
  });
}
