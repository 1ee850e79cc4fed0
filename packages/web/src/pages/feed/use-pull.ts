import { type RefObject, useEffect, useRef, useState } from 'react';

/** So far, in pixels that the finger has gone. */
const releasePx = 110;
const mostPx = 170;

export type PullPhase = 'idle' | 'pulling' | 'ready' | 'busy';

/**
 * Pulling the first slide down refreshes. The sign follows the finger through `--pull` (0 to 1), without a render for
 * each pixel.
 */
export function usePull(
  scroller: RefObject<HTMLElement | null>,
  sign: RefObject<HTMLElement | null>,
  onRefresh: () => Promise<void>,
): { phase: PullPhase; run(): void } {
  const [phase, setPhase] = useState<PullPhase>('idle');
  const isBusy = useRef(false);
  const refresh = useRef(onRefresh);
  refresh.current = onRefresh;
  const run = useRef(() => {
    if (isBusy.current) return;
    isBusy.current = true;
    setPhase('busy');
    void refresh.current().finally(() => {
      isBusy.current = false;
      setPhase('idle');
    });
  });

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let startY: number | undefined;
    let pulledPx = 0;
    const show = (px: number) => {
      pulledPx = Math.max(0, Math.min(mostPx, px));
      sign.current?.style.setProperty('--pull', String(pulledPx / mostPx));
      if (!isBusy.current) setPhase(pulledPx === 0 ? 'idle' : pulledPx < releasePx ? 'pulling' : 'ready');
    };
    const onStart = (event: TouchEvent) => {
      const [finger] = event.touches;
      startY = finger && event.touches.length === 1 && element.scrollTop <= 0 ? finger.clientY : undefined;
    };
    const onMove = (event: TouchEvent) => {
      const [finger] = event.touches;
      if (startY === undefined || !finger) return;
      show(element.scrollTop <= 0 ? finger.clientY - startY : 0);
    };
    const onEnd = () => {
      const isFar = pulledPx >= releasePx;
      startY = undefined;
      if (pulledPx > 0) show(0);
      if (isFar) run.current();
    };
    const options = { passive: true } as const;
    element.addEventListener('touchstart', onStart, options);
    element.addEventListener('touchmove', onMove, options);
    element.addEventListener('touchend', onEnd, options);
    element.addEventListener('touchcancel', onEnd, options);
    return () => {
      element.removeEventListener('touchstart', onStart);
      element.removeEventListener('touchmove', onMove);
      element.removeEventListener('touchend', onEnd);
      element.removeEventListener('touchcancel', onEnd);
    };
  }, [scroller, sign]);
  return { phase, run: run.current };
}
