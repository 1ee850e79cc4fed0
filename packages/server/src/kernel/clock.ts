/** Time and timers, injected so that a simulation can own them. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May step back when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds since some moment in the past. Never steps back. */
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, options?: { signal?: AbortSignal | undefined }): Promise<void>;
  /** Calls `run` once after `ms`, unless disposed before: cheaper than `sleep` for deadlines that are hardly ever met. */
  after(ms: number, run: () => void): Disposable;
  /** Calls `run` every `ms` until disposed. A run that takes longer than `ms` skips turns, it never overlaps. */
  every(ms: number, run: () => void | Promise<void>): Disposable;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, { signal } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  every: (ms, run) => {
    let running = false;
    const timer = setInterval(async () => {
      if (running) return;
      running = true;
      try {
        await run();
      } finally {
        running = false;
      }
    }, ms);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};
