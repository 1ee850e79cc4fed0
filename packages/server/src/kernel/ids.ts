import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

/**
 * Snowflake ids: 63 bits, written as decimal strings because they do not fit a double.
 *
 *   41 bits  milliseconds since 2025-01-01 UTC (enough until 2094)
 *   10 bits  node number, leased from the database
 *   12 bits  sequence within the millisecond
 *
 * The ids of one generator grow strictly, also when the clock steps back: it then goes on from the last time it
 * used. No two generators ever make the same id, because two never hold the same (node, time): a lease is bounded
 * by `issuedUntilMs`, and its number is leased again only when that has passed.
 */
export interface IdLease {
  /** 0 to 1023. */
  readonly node: number;
  /** The first millisecond (Unix time) that the generator may not put into an id. */
  readonly issuedUntilMs: number;
  /** `clock.monotonicMs()` after which another process may hold the number. */
  readonly deadlineMs: number;
}

/** What the generator may use at this moment; undefined before the first lease and after its loss. */
export type LeaseSource = () => IdLease | undefined;

export const ID_EPOCH_MS = Date.UTC(2025, 0, 1);
export const MAX_NODES = 1_024;
const IDS_PER_MS = 4_096;
const NODE_SHIFT = 12n;
const TIME_SHIFT = 22n;
const MAX_OFFSET_MS = 2 ** 41 - 1;

export interface Ids {
  /** Throws `database-unavailable` when the node number is not surely ours. */
  next(): string;
}

export class SnowflakeGenerator implements Ids {
  readonly #clock: Clock;
  readonly #lease: LeaseSource;
  #lastMs = 0;
  #sequence = 0;
  #node = -1;

  constructor(clock: Clock, lease: LeaseSource) {
    this.#clock = clock;
    this.#lease = lease;
  }

  next(): string {
    const lease = this.#lease();
    if (!lease || this.#clock.monotonicMs() >= lease.deadlineMs) throw refusal();
    const nowMs = Math.max(this.#clock.nowMs(), ID_EPOCH_MS);
    let timeMs = this.#lastMs;
    let sequence = this.#sequence + 1;
    if (nowMs > timeMs || lease.node !== this.#node) {
      // A new number starts a millisecond of its own, so that the order holds whichever number is larger.
      timeMs = Math.max(nowMs, timeMs + 1);
      sequence = 0;
    } else if (sequence === IDS_PER_MS) {
      // The millisecond is full: borrow the next one instead of waiting for it.
      timeMs += 1;
      sequence = 0;
    }
    if (timeMs >= lease.issuedUntilMs) throw refusal();
    this.#lastMs = timeMs;
    this.#sequence = sequence;
    this.#node = lease.node;
    return compose(timeMs, lease.node, sequence);
  }
}

function compose(timeMs: number, node: number, sequence: number): string {
  const offsetMs = timeMs - ID_EPOCH_MS;
  if (offsetMs > MAX_OFFSET_MS) throw new Error('the time of snowflake ids has run out');
  return ((BigInt(offsetMs) << TIME_SHIFT) | (BigInt(node) << NODE_SHIFT) | BigInt(sequence)).toString();
}

function refusal(): AppError {
  return new AppError('database-unavailable', { retryAfterSeconds: 1 });
}

/** The millisecond (Unix time) in which the id was made. */
export function idTimeMs(id: string): number {
  return Number(BigInt(id) >> TIME_SHIFT) + ID_EPOCH_MS;
}

/** The smallest id that one made at this time can have: for "everything since". */
export function smallestIdAt(timeMs: number): string {
  return compose(Math.max(timeMs, ID_EPOCH_MS), 0, 0);
}

const ID_PATTERN = /^(0|[1-9]\d{0,18})$/;
const MAX_ID = 2n ** 63n - 1n;

/** Whether the text is an id as this program writes them: decimal, without leading zeros, within 63 bits. */
export function isId(text: string): boolean {
  return ID_PATTERN.test(text) && BigInt(text) <= MAX_ID;
}

/** Orders ids by value: negative when `a` is the older one. */
export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
