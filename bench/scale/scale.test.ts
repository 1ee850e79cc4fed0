import { expect, test } from 'bun:test';
import { countWork, pulledAt, STRATEGIES, sum } from './count.ts';
import { creatorOf } from './creators.ts';
import { type Graph, makeGraph } from './graph.ts';
import { pictureOf } from './picture.ts';
import { EdgeRule, know } from './rules.ts';
import { Seeded } from './seeded.ts';
import { simulate, summaryOf } from './simulate.ts';

const tiny = { people: 300, seed: 7, activeShare: 0.4 };
const measured = {
  ...{ pushUs: 20, pullHereUs: 2, pullStoredUs: 60, inboxReadUs: 100, inboxBytesPerEntry: 60 },
};

function edgesOf({ people, starts, followees }: Graph): [reader: number, author: number][] {
  return Array.from({ length: people }, (_, reader) =>
    [...followees.subarray(starts[reader], starts[reader + 1])].map((author): [number, number] => [
      reader,
      author,
    ]),
  ).flat();
}

test('a seed makes the same community, and another seed another', () => {
  const [one, same, other] = [makeGraph(tiny), makeGraph(tiny), makeGraph({ ...tiny, seed: 8 })];
  expect(same).toEqual(one);
  expect(other.followees).not.toEqual(one.followees);
  const summary = () => {
    const simulated = simulate(tiny, measured);
    return STRATEGIES.map((each) => summaryOf(simulated, simulated.outcomes[each]));
  };
  expect(summary()).toEqual(summary());
});

test('nobody follows themselves, or somebody twice, and followers are counted', () => {
  const graph = makeGraph(tiny);
  const edges = edgesOf(graph);
  expect(new Set(edges.map(String)).size).toBe(edges.length);
  expect(edges.every(([reader, author]) => reader !== author && author < tiny.people)).toBe(true);
  const followers: number[] = Array(tiny.people).fill(0);
  for (const [, author] of edges) followers[author]! += 1;
  expect([...graph.followers]).toEqual(followers);
});

test('a larger share of active readers adds readers, and changes nothing else', () => {
  const [few, many] = [makeGraph({ ...tiny, activeShare: 0.1 }), makeGraph(tiny)];
  expect(many.followees).toEqual(few.followees);
  expect(many.postsPerDay).toEqual(few.postsPerDay);
  for (const [reader, reads] of few.readsPerDay.entries())
    if (reads > 0) expect(many.readsPerDay[reader]).toBe(reads);
});

test('each post reaches each active follower once, by push or by pull', () => {
  const graph = makeGraph(tiny);
  for (const costRatio of [0.05, 1, 20]) {
    const rule = new EdgeRule(graph, know(graph), costRatio);
    const posts = edgesOf(graph)
      .filter(([reader]) => graph.readsPerDay[reader]! > 0)
      .reduce((total, [, author]) => total + graph.postsPerDay[author]!, 0);
    for (const strategy of STRATEGIES) {
      const work = countWork(graph, strategy, rule);
      expect(work.deliveredByPushPerDay + work.deliveredByPullPerDay).toBeCloseTo(posts, 6);
      expect(sum(work.pagesByPulled)).toBeCloseTo(sum(graph.readsPerDay), 6);
      expect(sum(work.pullsPerDayOf)).toBeCloseTo(work.pullsPerDay, 4);
    }
  }
});

test('of each author, every active follower is pushed to or pulls, and nobody else is pushed to', () => {
  const graph = makeGraph(tiny);
  const rule = new EdgeRule(graph, know(graph), 3);
  const work = countWork(graph, 'hybrid', rule);
  let [pushed, pulling] = [0, 0];
  for (let author = 0; author < tiny.people; author++) {
    const followers = edgesOf(graph).filter((edge) => edge[1] === author);
    const active = followers.map(([reader]) => reader).filter((reader) => graph.readsPerDay[reader]! > 0);
    const pull = active.filter((reader) => !rule.isPushed(reader, author));
    expect(work.pushesOf[author]! + pull.length).toBe(active.length);
    const reads = pull.reduce((total, reader) => total + graph.readsPerDay[reader]!, 0);
    expect(work.pullsPerDayOf[author]).toBeCloseTo(reads, 9);
    pushed += work.pushesOf[author]!;
    pulling += pull.length;
  }
  expect(Math.min(pushed, pulling)).toBeGreaterThan(0);
});

test('push never pulls, pull never pushes, and the hybrid does less of each', () => {
  const { outcomes } = simulate(tiny, measured);
  expect(outcomes.push.work.pullsPerDay).toBe(0);
  expect(pulledAt(outcomes.push.work, 0.99)).toBe(0);
  expect(outcomes.pull.work.pushesPerDay).toBe(0);
  expect(outcomes.pull.work.inboxes).toBe(0);
  expect(outcomes.hybrid.work.pushesPerDay).toBeLessThan(outcomes.push.work.pushesPerDay);
  expect(outcomes.hybrid.work.pullsPerDay).toBeLessThan(outcomes.pull.work.pullsPerDay);
});

test('what is drawn from a heavy tail stays within its bounds', () => {
  const random = new Seeded(1);
  for (let turn = 0; turn < 10_000; turn++) {
    const value = random.pareto(1, 1.2, 100);
    expect(value >= 1 && value <= 100 + 1e-9).toBe(true);
  }
});

test('the picture is small, and every figure in it is a number', () => {
  const simulated = simulate({ people: 2_000, seed: 1, activeShare: 0.1 }, measured);
  const creators = [100, 1_000, 2_000].map((followers) =>
    creatorOf(simulated.graph, simulated.known, simulated.rule, followers),
  );
  const byActive = [0.1, 0.5].map((activeShare) => ({ activeShare, simulated }));
  const other = simulate({ people: 1_000, seed: 1, activeShare: 0.1 }, measured);
  const picture = pictureOf({ creators, byPeople: [other, simulated], byActive });
  expect(picture.length).toBeLessThan(60_000);
  expect(picture).not.toMatch(/NaN|Infinity|undefined/);
});
