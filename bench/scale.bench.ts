import { join } from 'node:path';
import type { Benchmark } from './main.ts';
import { STRATEGIES, sum } from './scale/count.ts';
import { creatorOf } from './scale/creators.ts';
import { makeGraph } from './scale/graph.ts';
import { ASSUMED, hardwareFor } from './scale/hardware.ts';
import { type Measured, measure } from './scale/measured.ts';
import { pictureOf } from './scale/picture.ts';
import { measureRedis } from './scale/redis.ts';
import { rounded, type Simulated, simulate, summaryOf } from './scale/simulate.ts';
import { benchFolder } from './support/folder.ts';

const seed = 1;
const people = 1_000_000;
const activeShare = 0.1;
const smaller = [1_000, 10_000, 100_000];
const sweptPeople = 100_000;
const sweptShares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
/** Of those for whom hardware is asked for: more than in the plot, to be on the safe side. */
const hardwareShare = 0.5;
const followers = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];
const picturePath = join(import.meta.dir, '..', 'docs', 'performance-scale.svg');

export const benchmark: Benchmark = {
  about:
    'Cost of push, pull and the hybrid for a power-law graph of a million people, a tenth of them active: counted by the rules of the server, and turned into processor time by what its stores were measured at in the same run. The yardstick is the cheaper of push and pull. With --plot the plot of the documentation is drawn anew.',
  async run({ plot }) {
    await using folder = await benchFolder();
    const measured = await measure(folder.path, makeGraph({ people: sweptPeople, seed, activeShare }));
    const redis = await measureRedis(sweptPeople);
    const whole = simulate({ people, seed, activeShare }, measured);
    const creators = followers.map((count) => creatorOf(whole.graph, whole.known, whole.rule, count));
    const byActive = sweptShares.map((share) => ({
      activeShare: share,
      simulated: simulate({ people: sweptPeople, seed, activeShare: share }, measured),
    }));
    const byPeople = smaller.map((count) => simulate({ people: count, seed, activeShare }, measured));
    const typical = byActive.find((each) => each.activeShare === hardwareShare)!.simulated;
    if (plot) await Bun.write(picturePath, pictureOf({ creators, byPeople: [...byPeople, whole], byActive }));
    return {
      ...figuresOf(whole, measured),
      ...{ measured: roundedAll(measured), redis: redis && roundedAll(redis) },
      largestCreators: creators.slice(-3).map(roundedAll),
      byPeople: [...byPeople, whole].map((each) => ({ people: each.graph.people, ms: msOf(each) })),
      byActive: byActive.map((each) => ({ activeShare: each.activeShare, ms: msOf(each.simulated) })),
      assumed: { ...ASSUMED, activeShare: hardwareShare },
      hardware: [1e6, 1e7, 1e8].map((count) => hardwareFor(count, typical, measured, redis)),
    };
  },
};

function figuresOf(simulated: Simulated, measured: Measured) {
  const { graph, costRatio, outcomes } = simulated;
  const cheaper = Math.min(outcomes.push.cost.cores, outcomes.pull.cost.cores);
  return {
    ...{ people: graph.people, edges: graph.followees.length, largest: graph.followers[0] },
    ...{ postsPerSecond: rounded(sum(graph.postsPerDay) / 86_400), costRatio: rounded(costRatio) },
    ...Object.fromEntries(STRATEGIES.map((each) => [each, summaryOf(simulated, outcomes[each])])),
    pushToActiveCores: rounded(pushToActive(simulated, measured)),
    ratio: rounded(outcomes.hybrid.cost.cores / cheaper),
    hybridToPush: rounded(outcomes.hybrid.cost.cores / outcomes.push.cost.cores),
    hybridToPull: rounded(outcomes.hybrid.cost.cores / outcomes.pull.cost.cores),
  };
}

/** What is left of push when those who are away are left out: so much of the hybrid is this alone. */
function pushToActive({ outcomes: { push } }: Simulated, { pushUs }: Measured): number {
  return push.cost.inboxCores + (push.work.deliveredByPushPerDay * pushUs) / 1e6 / 86_400;
}

/** Milliseconds of processor time for a second. */
const msOf = ({ outcomes }: Simulated) =>
  Object.fromEntries(STRATEGIES.map((each) => [each, rounded(outcomes[each].cost.cores * 1_000)]));

const roundedAll = (values: object) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(Number(value))]));
