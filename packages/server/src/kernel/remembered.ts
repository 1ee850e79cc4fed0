import type { Clock } from './clock.ts';

/** Asks `load` at most once in `ttlMs`, however many ask for it. A failure is told to those who wait, and not kept. */
export function remembered<T>(
  clock: Pick<Clock, 'monotonicMs'>,
  ttlMs: number,
  load: () => Promise<T>,
): () => Promise<T> {
  let known: { readonly value: Promise<T>; readonly untilMs: number } | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (known && nowMs < known.untilMs) return known.value;
    const value = load();
    const mine = { value, untilMs: nowMs + ttlMs };
    known = mine;
    value.catch(() => {
      if (known === mine) known = undefined;
    });
    return value;
  };
}
