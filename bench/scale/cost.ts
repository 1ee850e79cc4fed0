import { HOT_ENTRIES } from '../../packages/server/src/features/timeline/reading/outboxes.ts';
import type { Work } from './count.ts';
import type { Graph } from './graph.ts';
import type { Measured } from './measured.ts';

/** Processor time, as cores that are busy on the average of a day. */
export interface Cost {
  readonly cores: number;
  readonly pushCores: number;
  readonly pullCores: number;
  readonly inboxCores: number;
  /** L, over outboxes that are in memory and those that are read from the store. */
  readonly pullUs: number;
  readonly hereShare: number;
}

const daySeconds = 86_400;
/** What a node keeps of hot outboxes: so many entries, so long, and an author without any counts as four. */
const hot = { entries: 400_000, ofOne: HOT_ENTRIES, overhead: 4, seconds: 600 };
const historyDays = 365;

export function costOf(graph: Graph, work: Work, measured: Measured): Cost {
  const { pushUs, pullHereUs, pullStoredUs, inboxReadUs } = measured;
  const hereShare = shareHere(graph, work.pullsPerDayOf);
  const pullUs = pullHereUs + (1 - hereShare) * pullStoredUs;
  const busy = (perDay: number, us: number) => (perDay * us) / 1e6 / daySeconds;
  const pushCores = busy(work.pushesPerDay, pushUs);
  const pullCores = busy(work.pullsPerDay, pullUs);
  const inboxCores = busy(work.inboxReadsPerDay, inboxReadUs);
  return { cores: pushCores + pullCores + inboxCores, pushCores, pullCores, inboxCores, pullUs, hereShare };
}

/**
 * The share of look-ups that find the outbox in the memory of the one node. Asked for at random moments, lambda times a
 * second, and kept for T seconds from when it was loaded, an outbox is there lambda T / (1 + lambda T) of the time.
 */
export function shareHere({ postsPerDay, people }: Graph, pullsPerDayOf: Float64Array): number {
  const at = (seconds: number) => {
    let [held, found, all] = [0, 0, 0];
    for (let author = 0; author < people; author++) {
      const rate = pullsPerDayOf[author]! / daySeconds;
      if (rate === 0) continue;
      const share = (rate * seconds) / (1 + rate * seconds);
      held += share * (Math.min(hot.ofOne, postsPerDay[author]! * historyDays) + hot.overhead);
      found += share * rate;
      all += rate;
    }
    return { held, share: all === 0 ? 1 : found / all };
  };
  let [low, high] = [0, hot.seconds];
  if (at(high).held <= hot.entries) return at(high).share;
  for (let turn = 0; turn < 30; turn++) {
    const middle = (low + high) / 2;
    if (at(middle).held > hot.entries) high = middle;
    else low = middle;
  }
  return at(low).share;
}
