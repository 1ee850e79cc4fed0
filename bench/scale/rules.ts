import { nextCapacity } from '../../packages/server/src/features/timeline/tuning/bands.ts';
import {
  CORE_WINDOW_MS,
  decideEdge,
  type EdgeFacts,
} from '../../packages/server/src/features/timeline/tuning/edge-mode.ts';
import {
  FALL_AFTER_MS,
  HEAT_WEIGHTS,
  type Level,
  nextLevel,
  type Size,
} from '../../packages/server/src/features/timeline/tuning/levels.ts';
import type { Graph } from './graph.ts';
import { chanceOf } from './seeded.ts';

/** Clips that somebody watches after opening the feed. */
const clipsPerRead = 5;
/** New followers a day, of those that are there. */
const growthPerDay = 0.002;
const dayMs = 86_400_000;
const coreWindowDays = CORE_WINDOW_MS / dayMs;

/** What the server would have measured of everybody in the graph. */
export interface Known {
  readonly levels: Uint8Array;
  /** How much of what comes in a reader watches. */
  readonly watchedShare: Float64Array;
  readonly medianReadsPerDay: number;
}

export function know(graph: Graph): Known {
  const { people, starts, followees, postsPerDay, readsPerDay, followers } = graph;
  const watchedShare = new Float64Array(people);
  const viewsPerDay = new Float64Array(people);
  for (let reader = 0; reader < people; reader++) {
    if (readsPerDay[reader] === 0) continue;
    const [from, to] = [starts[reader]!, starts[reader + 1]!];
    let arriving = 0;
    for (let edge = from; edge < to; edge++) arriving += postsPerDay[followees[edge]!]!;
    const share = Math.min(1, (readsPerDay[reader]! * clipsPerRead) / arriving);
    watchedShare[reader] = share;
    for (let edge = from; edge < to; edge++) {
      const author = followees[edge]!;
      viewsPerDay[author]! += share * postsPerDay[author]!;
    }
  }
  const levels = new Uint8Array(people);
  for (let author = 0; author < people; author++)
    levels[author] = levelOf(sizeOf(followers[author]!, viewsPerDay[author]!));
  const active = readsPerDay.filter((reads) => reads > 0).sort();
  return { levels, watchedShare, medianReadsPerDay: active[active.length >> 1] ?? 0 };
}

export const sizeOf = (followers: number, viewsPerDay: number): Size => ({
  followers,
  heat: viewsPerDay * HEAT_WEIGHTS.view + followers * growthPerDay * HEAT_WEIGHTS.follow,
});

/** Where the level comes to rest. */
export function levelOf(size: Size): Level {
  let level: Level = 0;
  for (;;) {
    const next = nextLevel(level, size, FALL_AFTER_MS);
    if (next === level) return level;
    level = next;
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Asks the rule of the server, with one object for all edges: there are a hundred million. */
export class EdgeRule {
  readonly #facts: Writable<EdgeFacts>;
  readonly #graph: Graph;
  readonly #known: Known;

  constructor(graph: Graph, known: Known, costRatio: number) {
    this.#graph = graph;
    this.#known = known;
    this.#facts = {
      // New edges are pulled, and where they go from there is where they stay.
      mode: 'pull',
      ...{ readsPerDay: 0, idleMs: 0, postsPerDay: 0, level: 0, videosWatched: 0 },
      ...{ costRatio, medianReadsPerDay: known.medianReadsPerDay },
    };
  }

  isPushed(reader: number, author: number): boolean {
    return this.isPushedAs(reader, author, this.#graph.postsPerDay[author]!, this.#known.levels[author]!);
  }

  /** As if the author were another. */
  isPushedAs(reader: number, author: number, postsPerDay: number, level: number): boolean {
    const facts = this.#facts;
    const reads = this.#graph.readsPerDay[reader]!;
    facts.readsPerDay = reads;
    facts.idleMs = reads > 0 ? dayMs / reads : Number.POSITIVE_INFINITY;
    facts.postsPerDay = postsPerDay;
    facts.level = level as Level;
    facts.videosWatched = level < 2 ? 0 : this.#watched(reader, author, postsPerDay);
    return decideEdge(facts).mode === 'push';
  }

  /** Readers like some of those whom they follow better: exponentially distributed around what they watch of all. */
  #watched(reader: number, author: number, postsPerDay: number): number {
    const liking = -Math.log(1 - chanceOf(reader, author));
    const videos = coreWindowDays * postsPerDay;
    return Math.floor(Math.min(videos, videos * this.#known.watchedShare[reader]! * liking));
  }
}

/** Where the capacity of an inbox comes to rest. */
export function capacityOf(readsPerDay: number): number {
  let capacity = 0;
  for (;;) {
    const next = nextCapacity(capacity, readsPerDay);
    if (next === capacity) return capacity;
    capacity = next;
  }
}
