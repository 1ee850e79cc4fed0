import { describe, expect, test } from 'bun:test';
import type { CacheStore, Fill } from '../../src/ports/cache-store/port.ts';
import { type Faults, leaseMs, seededRandom, settle, World } from './cache-world.ts';

/** Runs one schedule: `choose` picks among what can happen next, until everybody has an answer. */
async function run(world: World, work: readonly Promise<unknown>[], choose: (count: number) => number) {
  let open = work.length;
  for (const each of work) {
    void each.then(
      () => open--,
      (error: unknown) => {
        open--;
        world.violations.push(`an error: ${error}`);
      },
    );
  }
  await settle();
  while (open > 0) {
    const { gates } = world;
    if (gates.length > 0) gates[gates.length > 1 && world.isOfInterest ? choose(gates.length) : 0]!.open();
    else if (!world.wakeNext()) throw new Error('everybody waits for ever');
    await settle();
  }
}

/** All schedules of a program, depth first: each run repeats the choices of the one before up to the last that can be changed. */
async function everySchedule(
  faults: Faults,
  program: (world: World) => Promise<Promise<unknown>[]>,
  limit = 60_000,
): Promise<{ schedules: number; violations: string[] }> {
  let schedules = 0;
  let choices: { taken: number; of: number }[] = [];
  for (;;) {
    const world = new World(1, faults);
    let at = 0;
    await run(world, await program(world), (of) => {
      choices[at] ??= { taken: 0, of };
      return choices[at++]!.taken;
    });
    schedules += 1;
    if (world.violations.length > 0) return { schedules, violations: world.violations };
    choices = choices.slice(0, at);
    while (choices.length > 0 && choices.at(-1)!.taken + 1 >= choices.at(-1)!.of) choices.pop();
    const last = choices.at(-1);
    if (!last) return { schedules, violations: [] };
    last.taken += 1;
    if (schedules >= limit) throw new Error(`more than ${limit} schedules`);
  }
}

/** Reader A, writer B, and reader C who comes later, on one node or on several; afterwards somebody looks again. */
const staleSet = (nodeOfC: string) => async (world: World) => {
  world.addRow('1');
  world.hasInstantBus = true;
  const a = await world.addNode('a');
  if (nodeOfC !== 'a') await world.addNode(nodeOfC);
  const c = world.nodes.get(nodeOfC)!;
  const reads = [
    a.getThing('1'),
    world.write('a', '1'),
    world.gate('c', 'C comes').then(() => c.getThing('1')),
  ];
  const lookAgain = async () => {
    world.isOfInterest = false;
    await a.getThing('1');
    await c.getThing('1');
  };
  return [...reads, Promise.all(reads).then(lookAgain)];
};

/** A store in which the named fills get through though their lease is void. */
function forcing(shouldForce: (fill: Fill, voided: ReadonlySet<string>) => boolean) {
  return (store: CacheStore): CacheStore => {
    const granted = new Map<string, { key: string; owner: string }>();
    const voided = new Set<string>();
    return {
      read: async (keys, lease) => {
        const results = await store.read(keys, lease);
        results.forEach((result, at) => {
          if (result.kind === 'lease') granted.set(result.token, keys[at]!);
        });
        return results;
      },
      renew: (leases, ms) => store.renew(leases, ms),
      release: (leases) => store.release(leases),
      invalidate: async (rows) => {
        for (const [token, { owner }] of granted) if (rows.includes(owner)) voided.add(token);
        await store.invalidate(rows);
      },
      fill: async (fills) => {
        const results = await store.fill(fills);
        for (const [at, fill] of fills.entries()) {
          if (results[at]!.kind === 'filled' || !shouldForce(fill, voided)) continue;
          const [current] = await store.read([fill], { leaseMs });
          const holder = [...granted].reverse().find(([, { key }]) => key === fill.key)?.[0];
          const token = current?.kind === 'lease' ? current.token : holder;
          if (token) results[at] = (await store.fill([{ ...fill, token }]))[0]!;
        }
        return results;
      },
      forgetAll: () => store.forgetAll(),
      keep: (keys, values, ms) => store.keep(keys, values, ms),
      recall: (keys) => store.recall(keys),
      stats: () => store.stats(),
    };
  };
}

const seededBugs: Record<string, Faults> = {
  'an invalidation does not void leases': { wrapStore: forcing((fill, voided) => voided.has(fill.token)) },
  'a fill ignores its token': { wrapStore: forcing(() => true) },
  'an invalidation does not wait until the commit is visible': { noWaitForVisibility: true },
};

describe('leases, every interleaving of reader A, writer B and reader C', () => {
  for (const [name, nodeOfC] of [
    ['on one node', 'a'],
    ['on two nodes', 'c'],
  ] as const) {
    test(`${name}: no old value is served unmarked`, async () => {
      const { schedules, violations } = await everySchedule({}, staleSet(nodeOfC));
      expect(violations).toEqual([]);
      expect(schedules).toBeGreaterThan(500);
    });

    for (const [bug, faults] of Object.entries(seededBugs)) {
      test(`${name}: it is noticed when ${bug}`, async () => {
        const { violations } = await sampleSchedules(faults, staleSet(nodeOfC), 3_000);
        expect(violations.length).toBeGreaterThan(0);
      });
    }
  }

  test('a herd on three nodes makes one load, and one more for each change', async () => {
    const herd = (writes: number) => async (world: World) => {
      world.addRow('1');
      world.hasInstantBus = true;
      const nodes = [await world.addNode('a'), await world.addNode('b'), await world.addNode('c')];
      const gets = nodes.map((node) => node.getThing('1'));
      if (writes > 0) gets.push(world.write('a', '1'));
      return [
        ...gets,
        Promise.all(gets).then(() => {
          if (world.loads > 1 + writes) world.violations.push(`${world.loads} loads`);
        }),
      ];
    };
    expect((await everySchedule({}, herd(0))).violations).toEqual([]);
    expect((await sampleSchedules({}, herd(1), 300)).violations).toEqual([]);
  });
});

async function sampleSchedules(
  faults: Faults,
  program: (world: World) => Promise<Promise<unknown>[]>,
  seeds: number,
) {
  for (let seed = 1; seed <= seeds; seed++) {
    const world = new World(seed, faults);
    const random = seededRandom(seed);
    await run(world, await program(world), (count) => random.integer(count));
    if (world.violations.length > 0) return { seed, violations: world.violations };
  }
  return { seed: 0, violations: [] };
}

/** Three nodes, two rows and a page of both; everything that can go wrong does, now and then. */
async function stormyDay(seed: number, faults: Faults = {}): Promise<string[]> {
  const random = seededRandom(seed);
  const world = new World(seed, faults);
  world.addRow('1');
  world.addRow('2');
  for (const name of ['a', 'b', 'c']) await world.addNode(name);
  world.losesMessage = () => random.chance(0.05);
  const names = () => [...world.nodes.keys()];
  const anyNode = () => names()[random.integer(names().length)]!;
  const fail = (error: unknown) => {
    // Whoever loads may be gone for longer than a load may take: an error is honest then, an old value is not.
    const isHonest = /the truth is away|The load took too long/.test(String(error));
    if (!isHonest) world.violations.push(String(error));
  };
  let started = 0;
  for (let step = 0; step < 160; step++) {
    const dice = random.integer(100);
    const id = String(1 + random.integer(2));
    if (dice < 22) world.nodes.get(anyNode())!.getThing(id).catch(fail);
    else if (dice < 32) world.nodes.get(anyNode())!.getPage().catch(fail);
    else if (dice < 40) world.write(anyNode(), id, random.chance(0.9)).catch(fail);
    else if (dice < 42) world.pass(random.integer(6_000));
    else if (dice < 43) world.isStoreDown = !world.isStoreDown;
    else if (dice < 44) world.loadsFail = random.chance(0.3);
    else if (dice < 45 && random.chance(0.5)) world.loseStore();
    else if (dice < 46) world.cutBus(anyNode());
    else if (dice < 47) {
      world.crash(anyNode());
      await world.addNode(`n${started++}`);
    } else if (world.gates.length > 0) world.gates[random.integer(world.gates.length)]!.open();
    else world.wakeNext();
    await settle();
  }
  return world.violations;
}

describe('leases on stormy days', () => {
  test('2,000 days of crashes, lost messages and a store that comes and goes', async () => {
    for (let seed = 1; seed <= 2_000; seed++) {
      const violations = await stormyDay(seed);
      if (violations.length > 0) throw new Error(`seed ${seed}: ${violations.join('; ')}`);
    }
  });

  for (const [bug, faults] of Object.entries(seededBugs)) {
    test(`it is noticed when ${bug}`, async () => {
      let found = 0;
      for (let seed = 1; seed <= 1_000 && found === 0; seed++) {
        found += (await stormyDay(seed, faults)).length;
      }
      expect(found).toBeGreaterThan(0);
    });
  }
});
