/** Time and timers, injected so that a simulation can own them. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May step back when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds since some moment in the past. Never steps back. */
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, options?: { signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * Calls `run` once after `ms`, unless disposed before: for deadlines, and cheaper than `sleep`. When this process was too busy
   * to notice in time, what has arrived meanwhile is read first: its own slowness is nobody's failure to answer.
   */
  after(ms: number, run: () => void): Disposable;
  /** Calls `run` every `ms` until disposed. A run that takes longer than `ms` skips turns, it never overlaps. */
  every(ms: number, run: () => void | Promise<void>): Disposable;
}

const toleratedMs = 50;
/**
 * Turns of the event loop that a late deadline waits. What is read through caches, fences and the database for the first
 * time takes ten to fifteen replies, one after another; when ten thousand ask at once a turn takes seconds.
 */
const lateTurns = 30;
const lateTurnMs = 5;

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
    const lateMs = performance.now() + ms + toleratedMs;
    let left = lateTurns;
    const fire = () => {
      if (left === 0 || performance.now() < lateMs) return run();
      left -= 1;
      timer = setTimeout(fire, lateTurnMs);
    };
    let timer = setTimeout(fire, ms);
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
