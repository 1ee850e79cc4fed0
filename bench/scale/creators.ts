import type { Graph } from './graph.ts';
import { type EdgeRule, type Known, levelOf, sizeOf } from './rules.ts';

/** What one creator causes who publishes once a day and is followed by so many, taken from the graph at random. */
export interface Creator {
  readonly followers: number;
  readonly level: number;
  /** Inboxes that one post goes into. */
  readonly pushes: number;
  readonly activeFollowers: number;
  /** Look-ups of the creator's outbox in a day, beside that, and if nothing were pushed. */
  readonly pullsPerDay: number;
  readonly pullsPerDayIfPulled: number;
}

const postsPerDay = 1;
/** Small ones are averaged over many, so that chance does not show. */
const leastSampled = 20_000;
/** A prime, to step through people in an order that has nothing to do with them. */
const step = 15_485_863;

export function creatorOf(graph: Graph, known: Known, rule: EdgeRule, followers: number): Creator {
  const { people, readsPerDay } = graph;
  if (followers > people) throw new RangeError(`${followers} followers of ${people} people`);
  const times = Math.max(1, Math.ceil(leastSampled / followers));
  const sampled = times * followers;
  const readerAt = (at: number) => (at * step) % people;
  let views = 0;
  for (let at = 0; at < sampled; at++) views += known.watchedShare[readerAt(at)]! * postsPerDay;
  const level = levelOf(sizeOf(followers, views / times));
  let [pushes, active, pulls, pullsIfPulled] = [0, 0, 0, 0];
  for (let at = 0; at < sampled; at++) {
    const reader = readerAt(at);
    const reads = readsPerDay[reader]!;
    if (reads > 0) active += 1;
    pullsIfPulled += reads;
    if (rule.isPushedAs(reader, people + Math.floor(at / followers), postsPerDay, level)) pushes += 1;
    else pulls += reads;
  }
  return {
    ...{ followers, level, pushes: pushes / times, activeFollowers: active / times },
    ...{ pullsPerDay: pulls / times, pullsPerDayIfPulled: pullsIfPulled / times },
  };
}
