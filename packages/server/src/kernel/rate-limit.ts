import type { Clock } from './clock.ts';

export interface RateLimit {
  /** How many calls may come at once. */
  readonly burst: number;
  /** How many come back in a second. */
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
  /** When it last went to the end of the map. */
  readonly movedMs: number;
}

/** A key that is used all the time moves at most this often. */
const moveEveryMs = 1_000;

/**
 * A token bucket for each key. Keys are forgotten when their bucket is full again; when more than `maxKeys` are alive
 * the oldest is forgotten, so that an attacker with many addresses costs memory only up to the bound.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #limit: RateLimit;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, limit: RateLimit, maxKeys = 50_000) {
    this.#clock = clock;
    this.#limit = limit;
    this.#maxKeys = maxKeys;
  }

  /** Takes `cost` tokens; answers 0, or the seconds after which they will be there (nothing is taken then). */
  take(key: string, cost = 1): number {
    const { burst, perSecond } = this.#limit;
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key);
    const tokens = bucket
      ? Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond)
      : burst;
    if (tokens < cost) return Math.max(1, Math.ceil((cost - tokens) / perSecond));
    if (bucket && nowMs - bucket.movedMs < moveEveryMs) {
      bucket.tokens = tokens - cost;
      bucket.atMs = nowMs;
      return 0;
    }
    // Re-inserting moves the key to the end: the map is in the order of last use, give or take a second.
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: tokens - cost, atMs: nowMs, movedMs: nowMs });
    if (this.#buckets.size > this.#maxKeys) this.#forgetOldest();
    return 0;
  }

  /** Gives the key a full bucket, as after a success. */
  reset(key: string): void {
    this.#buckets.delete(key);
  }

  get size(): number {
    return this.#buckets.size;
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (!oldest.done) this.#buckets.delete(oldest.value);
  }
}
