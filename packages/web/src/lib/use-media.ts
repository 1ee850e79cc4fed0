import { useCallback, useSyncExternalStore } from 'react';

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** Wide enough for the rail; the CSS modules use the same number. */
export const useIsDesktop = () => useMedia('(min-width: 60rem)');
export const useReducedMotion = () => useMedia('(prefers-reduced-motion: reduce)');
