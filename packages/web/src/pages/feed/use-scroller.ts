import { useEffect, useLayoutEffect, useRef } from 'react';
import { useReducedMotion } from '../../lib/use-media.ts';

const endings = ['scrollend', 'wheel', 'touchstart'] as const;

/** Ties the scroll position to the active index, both ways. `origin` changes when the list moved under the slide. */
export function useScroller(active: number, origin: number, setActive: (index: number) => void) {
  const scroller = useRef<HTMLElement>(null);
  const isReduced = useReducedMotion();
  const latest = useRef(active);
  latest.current = active;
  // Where a scroll under way will end: a second press of a key counts from there.
  const target = useRef<number | undefined>(undefined);

  // Before the first picture, and before the one after a move: the slide is where it was.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the origin is the reason, not a value
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element) element.scrollTop = latest.current * element.clientHeight;
  }, [origin]);

  // A far slide is put into the document before one goes there: the scroller stops only where there is one.
  const jump = useRef<number | undefined>(undefined);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && jump.current === active) element.scrollTop = active * element.clientHeight;
    jump.current = undefined;
  }, [active]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = () => {
      const index = Math.round(element.scrollTop / Math.max(1, element.clientHeight));
      if (index !== latest.current) setActive(index);
      if (isThere()) forget();
    };
    // A hand on the screen or the wheel takes over.
    const forget = () => {
      target.current = undefined;
    };
    const isThere = () =>
      target.current !== undefined && Math.abs(element.scrollTop - target.current * element.clientHeight) < 2;
    element.addEventListener('scroll', onScroll, { passive: true });
    for (const name of endings) element.addEventListener(name, forget, { passive: true });
    // Turning the phone changes the height of every slide: stay at the same one.
    const observer = new ResizeObserver(() => {
      element.scrollTop = latest.current * element.clientHeight;
    });
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', onScroll);
      for (const name of endings) element.removeEventListener(name, forget);
      observer.disconnect();
    };
  }, [setActive]);

  const goTo = (index: number) => {
    const element = scroller.current;
    if (!element) return;
    if (Math.abs(index - latest.current) > 2) {
      target.current = undefined;
      jump.current = index;
      setActive(index);
      return;
    }
    // Nowhere to go means no scroll, and so no end of one.
    if (Math.round(element.scrollTop) !== index * element.clientHeight) target.current = index;
    element.scrollTo({ top: index * element.clientHeight, behavior: isReduced ? 'instant' : 'smooth' });
  };
  return { scroller, goTo, heading: () => target.current ?? latest.current };
}
