import { type RefObject, useEffect } from 'react';
import { setSound, soundOn } from '../app/sound.ts';
import type { Player } from './player.ts';
import { toggleFullscreen } from './use-fullscreen.ts';

interface KeyTargets {
  readonly player: Player | undefined;
  /** Moves by one video; absent on a page that shows a single one. */
  readonly step?: ((by: 1 | -1) => void) | undefined;
  readonly like?: (() => void) | undefined;
  /** Looks for new videos; absent where there is no list. */
  readonly refresh?: (() => void) | undefined;
  readonly showHelp: () => void;
}

const seekSeconds = 5;

/** What has the focus takes these keys itself: text, menus, dialogs, and buttons for the space bar. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest('input, textarea, select, [contenteditable], [role="dialog"], [role="menu"]'))
    return true;
  return event.key === ' ' && target?.closest('button, [role="tab"]') != null;
}

function actionFor(
  key: string,
  { player, step, like, refresh, showHelp }: KeyTargets,
): (() => void) | undefined {
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case 'ArrowDown':
    case 'PageDown':
    case 'j':
      return step && (() => step(1));
    case 'ArrowUp':
    case 'PageUp':
    case 'k':
      return step && (() => step(-1));
    case ' ':
      return player && (() => player.toggle());
    case 'l':
      return like;
    case 'r':
      return refresh;
    case 'm':
      return () => setSound(!soundOn.get());
    case 'f':
      return () => toggleFullscreen(player?.video.closest<HTMLElement>('[data-frame]') ?? null);
    case 'ArrowLeft':
      return player && (() => player.seek(player.video.currentTime - seekSeconds));
    case 'ArrowRight':
      return player && (() => player.seek(player.video.currentTime + seekSeconds));
    case '?':
      return showHelp;
    default:
      return undefined;
  }
}

export function usePlayerKeys(targets: RefObject<KeyTargets>): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (isTaken(event)) return;
      const action = actionFor(event.key, targets.current);
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [targets]);
}
