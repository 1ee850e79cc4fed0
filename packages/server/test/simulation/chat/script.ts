import type { Faults } from './faults.ts';
import type { Machine } from './scheduler.ts';
import { World, type WorldShape } from './world.ts';

const together: WorldShape = { people: 3, nodes: ['all', 'all'], groups: 2 };
/** Sockets and commits in processes of their own. */
export const apart: WorldShape = { ...together, nodes: ['gateway', 'gateway', 'chat', 'chat'] };
const turns = 60;

/** One run, made by its seed alone. Answers what was broken, and what happened. */
export async function runSeed(
  seed: number,
  faults: Faults = {},
  shape: WorldShape = together,
): Promise<{ violations: string[]; world: World }> {
  const world = new World(seed, shape, faults);
  await world.begin(shape);
  world.scheduler.pass(5_000);
  const chance = world.scheduler.random.fork();
  const isWild = !chance.once(8);
  if (isWild) Object.assign(world.network.weather, weatherOf(chance));
  for (let turn = 0; turn < turns; turn++) {
    world.scheduler.pass(chance.integer(chance.once(10) ? 8_000 : 800));
    act(world, isWild);
  }
  return { violations: world.settle(), world };
}

function weatherOf(chance: World['scheduler']['random']) {
  const sometimes = (often: number) => (chance.once(2) ? 0 : often);
  return {
    typicalMs: chance.pick([1, 20, 200]),
    breaksOncePer: sometimes(chance.pick([20, 100, 500])),
    losesOncePer: sometimes(chance.pick([5, 20, 100])),
    repeatsOncePer: sometimes(chance.pick([5, 50])),
  };
}

type Action = readonly [weight: number, run: (world: World) => void];

const calm: readonly Action[] = [
  [60, (world) => void pickTab(world)?.say()],
  [8, (world) => burst(world)],
  [8, (world) => pickTab(world)?.read()],
];

const wild: readonly Action[] = [
  [4, (world) => pickTab(world)?.crash()],
  [5, (world) => world.open(pick(world, world.browsers))],
  [1, (world) => pick(world, world.browsers).clear()],
  [3, crashNode],
  [2, (world) => world.bus.crash(ms(world, 5_000))],
  [2, (world) => world.database.crash(ms(world, 4_000))],
  [4, hold],
  [4, cut],
  [4, (world) => world.network.heal()],
  [2, setClock],
  [3, changeMembers],
  [1, toggleBlock],
];

function act(world: World, isWild: boolean): void {
  const actions = isWild ? [...calm, ...wild] : calm;
  let point = world.scheduler.random.integer(actions.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, run] of actions) {
    point -= weight;
    if (point < 0) {
      run(world);
      return;
    }
  }
}

const pick = <T>(world: World, from: readonly T[]) => world.scheduler.random.pick(from);
const ms = (world: World, below: number) => 100 + world.scheduler.random.integer(below);

function pickTab(world: World) {
  const tabs = world.browsers.flatMap(({ tabs }) => tabs);
  return tabs.length > 0 ? pick(world, tabs) : undefined;
}

/** Several at once: what is pipelined, and what a batch holds. */
function burst(world: World): void {
  const tab = pickTab(world);
  for (let count = 2 + world.scheduler.random.integer(10); count > 0; count--) tab?.say();
}

function crashNode(world: World): void {
  const node = pick(world, world.nodes);
  if (!node.machine.isAlive) return;
  node.crash();
  world.scheduler.at(ms(world, 8_000), world.nobody, () => node.start());
}

function cut(world: World): void {
  const tabs = world.browsers.flatMap(({ tabs }) => tabs).map(({ machine }) => machine);
  const nodes = world.nodes.map(({ machine }) => machine);
  const others: readonly Machine[] = [...tabs, world.bus.machine, world.database.machine];
  world.network.cut(pick(world, nodes), pick(world, others));
}

/** Some conversations are held, and people go on talking: in those, and past them. */
function hold(world: World): void {
  const ids = [...world.memory.conversations.keys()];
  for (let count = 1 + world.scheduler.random.integer(3); count > 0; count--)
    world.database.hold(pick(world, ids), ms(world, 3_000));
  for (let count = 12; count > 0; count--)
    world.scheduler.at(ms(world, 2_000), world.nobody, () => pickTab(world)?.say());
}

/** Back or forth by minutes, at a node or at a person's. */
function setClock(world: World): void {
  const machine = world.scheduler.random.once(2) ? pickTab(world)?.machine : pick(world, world.nodes).machine;
  if (machine) machine.clockOffsetMs = (world.scheduler.random.integer(21) - 10) * 60_000;
}

/** The owner takes somebody out of the last group, or brings them back. */
function changeMembers(world: World): void {
  const owner = world.browsers.find(({ accountId, tabs }) => accountId === '1' && tabs.length > 0)?.tabs[0];
  owner?.changeMember(world.lastGroup, pick(world, ['2', '3']));
}

function toggleBlock(world: World): void {
  const { blocks } = world.memory;
  if (!blocks.delete('2:3')) blocks.add('2:3');
}
