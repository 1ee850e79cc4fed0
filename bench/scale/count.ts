import type { Graph } from './graph.ts';
import { capacityOf, type EdgeRule } from './rules.ts';

export const STRATEGIES = ['push', 'pull', 'hybrid'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** What one strategy has to do for all. */
export interface Work {
  /** Entries written into inboxes. */
  pushesPerDay: number;
  /** Outboxes looked into for pages, beside the inbox. */
  pullsPerDay: number;
  inboxReadsPerDay: number;
  /** What the posts of the active ones' followees make: each is to reach them by push or by pull. */
  deliveredByPushPerDay: number;
  deliveredByPullPerDay: number;
  inboxes: number;
  inboxEntries: number;
  /** First pages a day by how many outboxes they look into. */
  readonly pagesByPulled: Float64Array;
  readonly pullsPerDayOf: Float64Array;
  /** Inboxes into which one post of each author goes. */
  readonly pushesOf: Uint32Array;
}

/** Cut to its capacity when it has outgrown it by a quarter: on average it is an eighth above. */
const filling = 1.125;
/** An inbox is made from what was published up to so long ago. */
const historyDays = 365;

export function countWork(graph: Graph, strategy: Strategy, rule: EdgeRule): Work {
  const { people, starts, followees, postsPerDay, readsPerDay } = graph;
  let most = 0;
  for (let reader = 0; reader < people; reader++)
    most = Math.max(most, starts[reader + 1]! - starts[reader]!);
  const work = nothing(people, most);
  for (let reader = 0; reader < people; reader++) {
    const reads = readsPerDay[reader]!;
    let [pushed, pushedPosts, pulledPosts] = [0, 0, 0];
    for (let edge = starts[reader]!; edge < starts[reader + 1]!; edge++) {
      const author = followees[edge]!;
      const isPushed = strategy === 'push' || (strategy === 'hybrid' && rule.isPushed(reader, author));
      if (isPushed) {
        pushed += 1;
        pushedPosts += postsPerDay[author]!;
        work.pushesOf[author]! += 1;
      } else {
        pulledPosts += postsPerDay[author]!;
        work.pullsPerDayOf[author]! += reads;
      }
    }
    addReader(work, reads, starts[reader + 1]! - starts[reader]! - pushed, pushed, pushedPosts, pulledPosts);
  }
  return work;
}

function addReader(
  work: Work,
  reads: number,
  pulled: number,
  pushed: number,
  pushedPosts: number,
  pulledPosts: number,
): void {
  work.pushesPerDay += pushedPosts;
  work.pullsPerDay += reads * pulled;
  work.pagesByPulled[pulled]! += reads;
  if (reads > 0) {
    work.deliveredByPushPerDay += pushedPosts;
    work.deliveredByPullPerDay += pulledPosts;
  }
  if (pushed === 0) return;
  work.inboxReadsPerDay += reads;
  work.inboxes += 1;
  work.inboxEntries += Math.min(capacityOf(reads) * filling, pushedPosts * historyDays);
}

function nothing(people: number, mostFollows: number): Work {
  return {
    ...{ pushesPerDay: 0, pullsPerDay: 0, inboxReadsPerDay: 0 },
    ...{ deliveredByPushPerDay: 0, deliveredByPullPerDay: 0, inboxes: 0, inboxEntries: 0 },
    pagesByPulled: new Float64Array(mostFollows + 1),
    pullsPerDayOf: new Float64Array(people),
    pushesOf: new Uint32Array(people),
  };
}

/** The number of outboxes that this share of all pages does not exceed. */
export function pulledAt({ pagesByPulled }: Work, share: number): number {
  const wanted = share * sum(pagesByPulled);
  let pages = 0;
  for (const [pulled, more] of pagesByPulled.entries()) {
    pages += more;
    if (pages >= wanted) return pulled;
  }
  return pagesByPulled.length - 1;
}

export function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
