import type { TranscodeProgress } from '@hvideo/protocol';

/**
 * Live progress of transcoding. Ephemeral: who misses an event reads the row, so a restart loses nothing that counts.
 * Guarantees: listeners are called in the order of `publish`; `latest` is the last one published here, if it is still
 * kept. Limits: listeners and kept entries are bounded.
 */
export interface ProgressHub {
  publish(videoId: string, progress: TranscodeProgress): void;
  latest(videoId: string): TranscodeProgress | undefined;
  /** Undefined when too many listen already. */
  subscribe(videoId: string, listener: (progress: TranscodeProgress) => void): Disposable | undefined;
  /** Nothing is known of this video any more. */
  forget(videoId: string): void;
}

const maxListeners = 5000;
const maxListenersOfVideo = 20;
const maxKept = 1000;

/** Nothing comes after it. */
export const isOver = ({ status }: TranscodeProgress): boolean => status === 'ready' || status === 'failed';

/** What is published in this process. */
export function createProgressHub(): ProgressHub {
  const kept = new Map<string, TranscodeProgress>();
  const listeners = new Map<string, Set<(progress: TranscodeProgress) => void>>();
  let count = 0;
  return {
    publish(videoId, progress) {
      kept.delete(videoId);
      kept.set(videoId, progress);
      const oldest = kept.keys().next();
      if (kept.size > maxKept && !oldest.done) kept.delete(oldest.value);
      for (const listener of listeners.get(videoId) ?? []) listener(progress);
    },
    latest: (videoId) => kept.get(videoId),
    subscribe(videoId, listener) {
      const own = listeners.get(videoId) ?? new Set();
      if (count >= maxListeners || own.size >= maxListenersOfVideo) return undefined;
      listeners.set(videoId, own.add(listener));
      count++;
      return {
        [Symbol.dispose]() {
          if (!own.delete(listener)) return;
          count--;
          if (own.size === 0) listeners.delete(videoId);
        },
      };
    },
    forget: (videoId) => void kept.delete(videoId),
  };
}
