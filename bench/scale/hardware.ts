import type { Measured } from './measured.ts';
import type { MeasuredRedis } from './redis.ts';
import { rounded, type Simulated } from './simulate.ts';

/** What is assumed of people and machines, beside the graph. */
export const ASSUMED = {
  /** Of each visit: the first page, and those after it. */
  pagesPerRead: 5,
  /** The busiest hour beside the average of the day. */
  peak: 3,
  /** Cores are not to be busier than this at the peak. */
  busyShare: 0.5,
  /** Processor time of a page of twenty cards over HTTP, as `feed-read` measures it, beside what is measured here. */
  pageUs: 320,
} as const;

export interface Hardware {
  readonly people: number;
  readonly pagesPerSecond: number;
  readonly pushesPerSecond: number;
  readonly cores: { readonly pages: number; readonly pulls: number; readonly pushes: number };
  readonly inboxGb: { readonly lmdb: number; readonly redis: number | undefined };
}

/** At the peak. Everything grows with the people, as the sizes of the simulation show. */
export function hardwareFor(
  people: number,
  { graph, outcomes: { hybrid } }: Simulated,
  measured: Measured,
  redis: MeasuredRedis | undefined,
): Hardware {
  const { pagesPerRead, peak, busyShare, pageUs } = ASSUMED;
  const times = people / graph.people;
  const perSecond = (perDay: number) => (perDay * times * peak) / 86_400;
  const cores = (rate: number, us: number) => rounded((rate * us) / 1e6 / busyShare);
  const pages = perSecond(graph.readsPerDay.reduce((all, reads) => all + reads, 0) * pagesPerRead);
  const pushes = perSecond(hybrid.work.pushesPerDay);
  const pulls = perSecond(hybrid.work.pullsPerDay * pagesPerRead);
  const gb = (bytesPerEntry: number) => rounded((hybrid.work.inboxEntries * times * bytesPerEntry) / 1e9);
  return {
    people,
    ...{ pagesPerSecond: rounded(pages), pushesPerSecond: rounded(pushes) },
    cores: {
      pages: cores(pages, pageUs + measured.inboxReadUs),
      pulls: cores(pulls, hybrid.cost.pullUs),
      pushes: cores(pushes, measured.pushUs),
    },
    inboxGb: { lmdb: gb(measured.inboxBytesPerEntry), redis: redis && gb(redis.bytesPerEntry) },
  };
}
