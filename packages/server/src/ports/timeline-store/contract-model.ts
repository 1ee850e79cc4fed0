import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Entry, Shelf, ShelfPage, TimelineStore } from './port.ts';

const shelfCount = 3;
/** Keys whose order as text is not their order as numbers, and some that no double can tell apart. */
const keys = [
  ...Array.from({ length: 60 }, (_, at) => BigInt(at + 1)),
  ...[1n, 2n, 3n, 4n].map((n) => 2n ** 62n + n),
];

const entry = (key: bigint): Entry => ({
  key: String(key),
  authorId: String((key % 5n) + 1n),
  videoId: String(key + 2n ** 60n),
});

type Step =
  | { kind: 'begin'; shelf: number; capacity: number }
  | { kind: 'push'; pushes: readonly { shelf: number; key: bigint }[] }
  | {
      kind: 'merge';
      shelf: number;
      keys: readonly bigint[];
      downTo: bigint;
      token: 'none' | 'present' | 'old';
      isLast: boolean;
    }
  | { kind: 'remove'; removals: readonly { shelf: number; key: bigint }[] }
  | { kind: 'drop'; shelf: number };

const shelf = fc.nat(shelfCount - 1);
const key = fc.constantFrom(...keys);
const pairs = fc.array(fc.record({ shelf, key }), { minLength: 1, maxLength: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      shelf,
      capacity: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('push' as const), pushes: pairs }) },
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ kind: fc.constant('merge' as const), shelf, isLast: fc.boolean() },
      keys: fc.array(key, { maxLength: 20 }),
      downTo: fc.oneof(fc.constant(0n), key),
      token: fc.constantFrom<'none' | 'present' | 'old'>('none', 'present', 'present', 'old'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), removals: pairs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), shelf }) },
);

/** One shelf, as the port's words say it. */
class ShelfModel {
  state: 'cold' | 'building' | 'ready' = 'cold';
  capacity = 0;
  floor = 0n;
  keys = new Set<bigint>();

  begin(capacity: number): void {
    Object.assign(this, { state: 'building', capacity, floor: 0n, keys: new Set() });
  }

  add(more: readonly bigint[]): void {
    if (this.state === 'cold') return;
    for (const each of more) if (each >= this.floor) this.keys.add(each);
    if (this.keys.size * 4 <= this.capacity * 5) return;
    const kept = this.newest().slice(0, this.capacity);
    this.keys = new Set(kept);
    this.floor = kept.at(-1) ?? this.floor;
  }

  raise(floor: bigint): void {
    if (floor <= this.floor) return;
    this.floor = floor;
    this.keys = new Set([...this.keys].filter((each) => each >= floor));
  }

  newest(): bigint[] {
    return [...this.keys].sort((a, b) => (a < b ? 1 : -1));
  }

  page(before: bigint | undefined, limit: number): ShelfPage {
    if (this.state !== 'ready')
      return { state: this.state, floor: String(this.floor), entries: [], hasMore: false };
    const below = this.newest().filter((each) => before === undefined || each < before);
    const entries = below.slice(0, limit).map(entry);
    return { state: 'ready', floor: String(this.floor), entries, hasMore: below.length > limit };
  }
}

/** Random histories; after each step every shelf reads as the model says, from anywhere. */
export function modelContract(stores: () => [TimelineStore, TimelineStore], newShelf: () => Shelf): void {
  test('random sequences of all calls do what the model does', async () => {
    const [store, second] = stores();
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.array(key, { minLength: 3, maxLength: 3 }),
        async (steps, befores) => {
          const shelves = Array.from({ length: shelfCount }, newShelf);
          const models = shelves.map(() => new ShelfModel());
          const tokens: string[][] = shelves.map(() => []);
          for (const [at, each] of steps.entries()) {
            await take(at % 2 === 0 ? store : second, each, { shelves, models, tokens });
            const reads = [undefined, ...befores].flatMap((before, nth) =>
              shelves.map((_, owner) => ({ owner, before, limit: 1 + ((at + 3 * nth) % 9) })),
            );
            const pages = await second.read(
              reads.map(({ owner, before, limit }) => ({
                shelf: shelves[owner]!,
                before: before?.toString(),
                limit,
              })),
            );
            const meant = reads.map(({ owner, before, limit }) => models[owner]!.page(before, limit));
            expect(pages).toEqual(meant);
          }
          await store.drop(shelves);
        },
      ),
      { numRuns: 60 },
    );
  });
}

interface World {
  readonly shelves: readonly Shelf[];
  readonly models: readonly ShelfModel[];
  /** Of each shelf, in the order of their making. */
  readonly tokens: readonly string[][];
}

async function take(store: TimelineStore, each: Step, { shelves, models, tokens }: World): Promise<void> {
  if (each.kind === 'begin') {
    tokens[each.shelf]!.push(await store.begin(shelves[each.shelf]!, each.capacity));
    models[each.shelf]!.begin(each.capacity);
  } else if (each.kind === 'push') {
    await store.push(each.pushes.map((push) => ({ shelf: shelves[push.shelf]!, entry: entry(push.key) })));
    for (const [at, model] of models.entries())
      model.add(each.pushes.filter((push) => push.shelf === at).map((push) => push.key));
  } else if (each.kind === 'merge') {
    await merge(store, each, { shelves, models, tokens });
  } else if (each.kind === 'remove') {
    await store.remove(
      each.removals.map((removal) => ({ shelf: shelves[removal.shelf]!, key: String(removal.key) })),
    );
    for (const removal of each.removals) models[removal.shelf]!.keys.delete(removal.key);
  } else {
    await store.drop([shelves[each.shelf]!]);
    Object.assign(models[each.shelf]!, { state: 'cold', floor: 0n });
  }
}

async function merge(
  store: TimelineStore,
  each: Step & { kind: 'merge' },
  { shelves, models, tokens }: World,
): Promise<void> {
  const [model, known] = [models[each.shelf]!, tokens[each.shelf]!];
  const token =
    each.token === 'none' ? undefined : (known.at(each.token === 'present' ? -1 : -2) ?? 'unknown');
  const isMeant = model.state !== 'cold' && (token === undefined || token === known.at(-1));
  const { isLast } = each;
  const entries = each.keys.map(entry);
  const answer = await store.merge(shelves[each.shelf]!, {
    entries,
    completeDownTo: String(each.downTo),
    token,
    isLast,
  });
  expect(answer).toBe(isMeant);
  if (!isMeant) return;
  model.raise(each.downTo);
  model.add(each.keys);
  if (token !== undefined && isLast) model.state = 'ready';
}
