import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void): () => void {
  document.addEventListener('fullscreenchange', listener);
  return () => document.removeEventListener('fullscreenchange', listener);
}

export const useFullscreen = () => useSyncExternalStore(subscribe, () => document.fullscreenElement !== null);

/** A browser may refuse; then the picture stays as it is, which is all there is to say. */
export function toggleFullscreen(element: HTMLElement | null): void {
  const change =
    document.fullscreenElement !== null ? document.exitFullscreen() : element?.requestFullscreen?.();
  change?.catch((error: unknown) => error);
}
