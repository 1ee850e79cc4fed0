const windowMs = 2000;

/** How fast something goes, over windows of two seconds: a number that can be read while it changes. */
export class SpeedMeter {
  #from: { readonly atMs: number; readonly bytes: number } | undefined;
  #bytesPerSecond: number | undefined;

  /** Answers the last known speed; undefined until a window is over. */
  measure(bytes: number, nowMs: number): number | undefined {
    const from = this.#from;
    if (from === undefined || bytes < from.bytes) {
      this.#from = { atMs: nowMs, bytes };
      return this.#bytesPerSecond;
    }
    if (nowMs - from.atMs >= windowMs) {
      if (bytes > from.bytes) this.#bytesPerSecond = ((bytes - from.bytes) / (nowMs - from.atMs)) * 1000;
      this.#from = { atMs: nowMs, bytes };
    }
    return this.#bytesPerSecond;
  }

  reset(): void {
    this.#from = undefined;
    this.#bytesPerSecond = undefined;
  }
}
