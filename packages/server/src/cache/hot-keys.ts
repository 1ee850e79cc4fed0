/**
 * Finds the keys that are asked for most, in constant memory (HeavyKeeper: Gong et al., USENIX ATC 2018). Each key has
 * one counter in each of two rows. A counter belongs to one key at a time; another key that meets it wears it down with
 * a probability that falls exponentially with its size, so that large ones hold and small ones make room. Counts are
 * halved at each `decay`, so that a count tends to twice the number of additions between two decays.
 */
export class HeavyKeeper {
  readonly #width: number;
  readonly #fingerprints: Uint32Array;
  readonly #counts: Uint32Array;
  #state: number;

  /** `width` counters in each row, a power of two. */
  constructor(width: number, seed: number) {
    this.#width = width;
    this.#fingerprints = new Uint32Array(2 * width);
    this.#counts = new Uint32Array(2 * width);
    this.#state = seed | 1;
  }

  /** Counts `weight` more, and answers the estimate, which is never far above the truth. */
  add(key: string, weight = 1): number {
    const hash = Bun.hash.xxHash32(key);
    const mask = this.#width - 1;
    // A fingerprint of its own bits, never 0, which says "free".
    const fingerprint = Math.imul(hash, 0x9e3779b1) | 1;
    const one = this.#count(hash & mask, fingerprint >>> 0, weight);
    const two = this.#count(this.#width + ((hash >>> 16) & mask), fingerprint >>> 0, weight);
    return Math.max(one, two);
  }

  #count(at: number, fingerprint: number, weight: number): number {
    const present = this.#counts[at]!;
    if (this.#fingerprints[at] === fingerprint) {
      this.#counts[at] = present + weight;
      return present + weight;
    }
    for (let left = weight; left > 0; left--) {
      const count = this.#counts[at]!;
      if (count === 0) {
        this.#fingerprints[at] = fingerprint;
        this.#counts[at] = left;
        return left;
      }
      if (this.#random() < 1.08 ** -count) this.#counts[at] = count - 1;
    }
    return 0;
  }

  decay(): void {
    for (let at = 0; at < this.#counts.length; at++) this.#counts[at] = this.#counts[at]! >>> 1;
  }

  /** xorshift: this runs on the hottest path and needs no more. */
  #random(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 2 ** 32;
  }
}

export interface HotKeysOptions {
  /** Gets in a second on one node that make a key hot. */
  readonly hotPerSecond: number;
  readonly maxHotKeys: number;
  readonly seed: number;
  /** Called once when a key becomes hot here by its own count. */
  readonly onHot: (key: string) => void;
}

const hotForMs = 10_000;

/** Which keys are hot on any node: by this node's count, or because another said so. */
export class HotKeys {
  readonly #options: HotKeysOptions;
  readonly #sketch: HeavyKeeper;
  /** In the order of their last confirmation. */
  readonly #hot = new Map<string, { untilMs: number; count: number }>();

  constructor(options: HotKeysOptions) {
    this.#options = options;
    this.#sketch = new HeavyKeeper(8_192, options.seed);
  }

  /** `weight` more gets. */
  count(key: string, weight: number, nowMs: number): void {
    const count = this.#sketch.add(key, weight);
    // The count tends to twice the rate.
    if (count < 2 * this.#options.hotPerSecond) return;
    const known = this.#hot.get(key);
    if (known && nowMs < known.untilMs - hotForMs / 2) {
      known.count = count;
      return;
    }
    this.#set(key, nowMs, count);
    this.#options.onHot(key);
  }

  /** Another node has found it hot. */
  announce(key: string, nowMs: number): void {
    this.#set(key, nowMs, this.#hot.get(key)?.count ?? 0);
  }

  isHot(key: string, nowMs: number): boolean {
    const hot = this.#hot.get(key);
    if (!hot) return false;
    if (nowMs < hot.untilMs) return true;
    this.#hot.delete(key);
    return false;
  }

  /** To be called once a second. */
  decay(nowMs: number): void {
    this.#sketch.decay();
    for (const [key, { untilMs }] of this.#hot) if (nowMs >= untilMs) this.#hot.delete(key);
  }

  /** The hottest first, with gets per second on this node. */
  list(): { key: string; perSecond: number }[] {
    return [...this.#hot]
      .map(([key, { count }]) => ({ key, perSecond: Math.round(count / 2) }))
      .sort((a, b) => b.perSecond - a.perSecond);
  }

  #set(key: string, nowMs: number, count: number): void {
    this.#hot.delete(key);
    this.#hot.set(key, { untilMs: nowMs + hotForMs, count });
    if (this.#hot.size <= this.#options.maxHotKeys) return;
    const [oldest] = this.#hot.keys();
    if (oldest !== undefined) this.#hot.delete(oldest);
  }
}
