import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { CounterStore } from './port.ts';

export interface CounterStoreFactory {
  readonly store: CounterStore;
  /** Another handle on the same data, as a second process would have it. */
  readonly second: CounterStore;
  close(): Promise<void>;
}

const greatestId = '9223372036854775807';

/** Every adapter of CounterStore passes this. */
export function counterStoreContract(name: string, open: () => Promise<CounterStoreFactory>): void {
  describe(`CounterStore contract: ${name}`, () => {
    let made: CounterStoreFactory;
    let nextId = 1n;
    const freshId = () => String(nextId++);

    beforeAll(async () => {
      made = await open();
    });
    afterAll(() => made.close());

    test('an unknown counter is undefined, not zero', async () => {
      expect(await made.store.read([{ id: freshId(), metric: 1 }])).toEqual([undefined]);
      expect(await made.store.read([])).toEqual([]);
      await made.store.putNewer([]);
    });

    test('answers in the order asked, each metric for itself, also twice', async () => {
      const id = freshId();
      await made.store.putNewer([
        { id, metric: 0, total: 10, revision: 1 },
        { id, metric: 255, total: 20, revision: 1 },
        { id: greatestId, metric: 1, total: -(2 ** 53) + 1, revision: 2 ** 53 - 1 },
      ]);
      const keys = [
        { id, metric: 255 },
        { id: freshId(), metric: 0 },
        { id: greatestId, metric: 1 },
        { id, metric: 0 },
        { id, metric: 255 },
      ];
      expect(await made.second.read(keys)).toEqual([
        { total: 20, revision: 1 },
        undefined,
        { total: -(2 ** 53) + 1, revision: 2 ** 53 - 1 },
        { total: 10, revision: 1 },
        { total: 20, revision: 1 },
      ]);
    });

    test('keeps the greatest revision in any order of calls, from any handle', async () => {
      const writes = fc.array(
        fc.record({
          metric: fc.integer({ min: 0, max: 2 }),
          revision: fc.nat({ max: 50 }),
          by: fc.boolean(),
        }),
        { minLength: 1, maxLength: 20 },
      );
      await fc.assert(
        fc.asyncProperty(writes, async (list) => {
          const id = freshId();
          await Promise.all(
            list.map(({ metric, revision, by }) =>
              // The total is a function of the revision: the same revision always comes with the same total.
              (by ? made.store : made.second).putNewer([{ id, metric, total: revision * 7, revision }]),
            ),
          );
          for (const metric of [0, 1, 2]) {
            const revisions = list.filter((it) => it.metric === metric).map((it) => it.revision);
            const [found] = await made.store.read([{ id, metric }]);
            const revision = Math.max(...revisions);
            expect(found).toEqual(revisions.length === 0 ? undefined : { total: revision * 7, revision });
          }
        }),
        { numRuns: 50 },
      );
    });

    test('one call may name the same counter several times', async () => {
      const id = freshId();
      await made.store.putNewer([3, 9, 5].map((revision) => ({ id, metric: 4, total: revision, revision })));
      expect(await made.store.read([{ id, metric: 4 }])).toEqual([{ total: 9, revision: 9 }]);
    });

    test('takes 2,000 keys in a call', async () => {
      const totals = Array.from({ length: 2_000 }, (_, i) => ({
        id: freshId(),
        metric: 3,
        total: i,
        revision: 1,
      }));
      await made.store.putNewer(totals);
      const found = await made.second.read(totals);
      expect(found.map((it) => it?.total)).toEqual(totals.map(({ total }) => total));
    });
  });
}
