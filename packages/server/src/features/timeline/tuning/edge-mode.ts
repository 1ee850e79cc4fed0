import { LEAVE_AT } from './bands.ts';
import type { Level } from './levels.ts';

/** How an edge is served: `both` is on the way from one to the other. In rows: 0, 1, 2. */
export const EDGE_MODES = ['pull', 'both', 'push'] as const;
export type EdgeMode = (typeof EDGE_MODES)[number];

/** An edge is promoted at this much of the threshold and demoted below `LEAVE_AT` of it. */
export const PROMOTE_AT = 1.3;
/** Nobody who has been away for longer is pushed. */
export const INACTIVE_MS = 7 * 86_400_000;
/** Core followers have watched this many videos of the author in `CORE_WINDOW_MS`. */
export const CORE_VIDEOS = 3;
/** Who is one stays one down to this many. */
export const CORE_VIDEOS_KEPT = 2;
export const CORE_WINDOW_MS = 30 * 86_400_000;
/** Also who never posts has a rate: a push costs nothing there, but no quotient is infinite. */
export const MIN_POSTS_PER_DAY = 1 / 60;

export interface EdgeFacts {
  readonly mode: EdgeMode;
  readonly readsPerDay: number;
  /** Since the reader's last read; infinite when there was none. */
  readonly idleMs: number;
  readonly postsPerDay: number;
  readonly level: Level;
  /** Videos of the author that the reader has watched lately. */
  readonly videosWatched: number;
  /** H / L. */
  readonly costRatio: number;
  /** Half of the active readers read more often. */
  readonly medianReadsPerDay: number;
}

export type ReasonCode = keyof typeof REASONS;

/** In plain words, for whoever asks why. */
export const REASONS = {
  'reader-inactive': 'The reader has not opened the feed for a week, so nothing is pushed.',
  'reads-pay': 'The reader opens the feed often enough for each post of the author that pushing costs less.',
  'reads-too-few': 'The reader opens the feed too rarely for each post of the author; pulling costs less.',
  'reads-between': 'Reads for each post are close to the threshold, so the edge stays as it is.',
  'level-open': 'The author’s level lets all edges be pushed for which it pays.',
  'level-half':
    'The author is large: of those who are no core followers, only the more active half is pushed.',
  'level-core': 'The author is very large: only core followers are pushed.',
  'active-half': 'The reader is in the more active half of all readers.',
  'quiet-half': 'The reader is in the less active half of all readers.',
  'core-follower': 'The reader is a core follower: they have watched several videos of the author lately.',
  'not-core': 'The reader is no core follower: they have watched few videos of the author lately.',
} as const;

export interface EdgeDecision {
  readonly mode: 'pull' | 'push';
  readonly reasons: readonly ReasonCode[];
}

/** Where an edge should go. What is on its way to `push`, or there, is judged by the easier thresholds. */
export function decideEdge(facts: EdgeFacts): EdgeDecision {
  if (facts.idleMs > INACTIVE_MS) return { mode: 'pull', reasons: ['reader-inactive'] };
  const quotient = quotientOf(facts);
  const isPushed = facts.mode !== 'pull';
  const isHigh = quotient >= facts.costRatio * PROMOTE_AT;
  if (!isHigh && quotient < facts.costRatio * LEAVE_AT) return { mode: 'pull', reasons: ['reads-too-few'] };
  const reads: ReasonCode = isHigh ? 'reads-pay' : 'reads-between';
  if (!isHigh && !isPushed) return { mode: 'pull', reasons: [reads] };
  const { isOpen, reasons } = capOf(facts, isPushed);
  return { mode: isOpen ? 'push' : 'pull', reasons: [reads, ...reasons] };
}

/** One step towards where it should go. */
export function nextMode(current: EdgeMode, { mode }: EdgeDecision): EdgeMode {
  const at = EDGE_MODES.indexOf(current);
  return EDGE_MODES[mode === 'push' ? Math.min(at + 1, 2) : Math.max(at - 1, 0)] ?? current;
}

/** Reads for each post. */
export function quotientOf({ readsPerDay, postsPerDay }: Pick<EdgeFacts, 'readsPerDay' | 'postsPerDay'>) {
  return readsPerDay / Math.max(postsPerDay, MIN_POSTS_PER_DAY);
}

export function isCore({ mode, videosWatched }: Pick<EdgeFacts, 'mode' | 'videosWatched'>): boolean {
  return videosWatched >= (mode === 'pull' ? CORE_VIDEOS : CORE_VIDEOS_KEPT);
}

function capOf(facts: EdgeFacts, isPushed: boolean): { isOpen: boolean; reasons: ReasonCode[] } {
  const { level, medianReadsPerDay, readsPerDay } = facts;
  if (level < 2) return { isOpen: true, reasons: ['level-open'] };
  if (isCore(facts))
    return { isOpen: true, reasons: [level === 2 ? 'level-half' : 'level-core', 'core-follower'] };
  if (level === 3) return { isOpen: false, reasons: ['level-core', 'not-core'] };
  const isOften = readsPerDay >= medianReadsPerDay * (isPushed ? LEAVE_AT : 1);
  return { isOpen: isOften, reasons: ['level-half', isOften ? 'active-half' : 'quiet-half'] };
}
