import { Costs } from '../../packages/server/src/features/timeline/tuning/costs.ts';
import { type Cost, costOf } from './cost.ts';
import { countWork, pulledAt, type Strategy, sum, type Work } from './count.ts';
import { type Graph, type GraphOptions, makeGraph } from './graph.ts';
import type { Measured } from './measured.ts';
import { EdgeRule, type Known, know } from './rules.ts';

export interface Outcome {
  readonly work: Work;
  readonly cost: Cost;
}

export interface Simulated {
  readonly graph: Graph;
  readonly known: Known;
  readonly rule: EdgeRule;
  /** H / L, as the server would have it when it has come to rest. */
  readonly costRatio: number;
  readonly outcomes: Readonly<Record<Strategy, Outcome>>;
}

/** H / L has come to rest when it moves by less than a twentieth. */
const atRest = 0.05;
const maxTurns = 8;

export function simulate(options: GraphOptions, measured: Measured): Simulated {
  const graph = makeGraph(options);
  const known = know(graph);
  const run = (strategy: Strategy, rule: EdgeRule): Outcome => {
    const work = countWork(graph, strategy, rule);
    return { work, cost: costOf(graph, work, measured) };
  };
  let rule = new EdgeRule(graph, known, 1);
  const [push, pull] = [run('push', rule), run('pull', rule)];
  // What is pulled decides how many of its outboxes are in memory, thus L, and L decides what is pulled.
  let costRatio = ratioOf(measured.pushUs, pull.cost.pullUs);
  for (let turn = 1; ; turn++) {
    rule = new EdgeRule(graph, known, costRatio);
    const hybrid = run('hybrid', rule);
    const found = ratioOf(measured.pushUs, hybrid.cost.pullUs);
    const isAtRest = Math.abs(Math.log(found / costRatio)) < atRest;
    if (isAtRest || turn === maxTurns)
      return { graph, known, rule, costRatio, outcomes: { push, pull, hybrid } };
    costRatio = Math.sqrt(costRatio * found);
  }
}

function ratioOf(pushUs: number, pullUs: number): number {
  const costs = new Costs();
  const many = 1_000_000;
  costs.notePushes(many, (many * pushUs) / 1_000);
  costs.notePulls(many, (many * pullUs) / 1_000);
  return costs.ratio;
}

const daySeconds = 86_400;

/** For the line of JSON. */
export function summaryOf({ graph }: Simulated, { work, cost }: Outcome) {
  const pages = sum(graph.readsPerDay);
  return {
    pushesPerSecond: rounded(work.pushesPerDay / daySeconds),
    pullsPerSecond: rounded(work.pullsPerDay / daySeconds),
    inboxReadsPerSecond: rounded(work.inboxReadsPerDay / daySeconds),
    ...{ inboxes: work.inboxes, inboxEntries: Math.round(work.inboxEntries) },
    ...{ cores: rounded(cost.cores), pullUs: rounded(cost.pullUs), hereShare: rounded(cost.hereShare) },
    pulledPerPage: { mean: rounded(work.pullsPerDay / pages), p99: pulledAt(work, 0.99) },
    pushesOfLargestPost: work.pushesOf.reduce((most, pushes) => Math.max(most, pushes), 0),
  };
}

export const rounded = (value: number): number => Number(value.toPrecision(3));
