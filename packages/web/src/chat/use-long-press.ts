import { type MouseEvent, type PointerEvent, useCallback, useEffect, useRef } from 'react';

const pressMs = 450;
const movedPx = 10;

/** Answers whether something was there to be opened. */
type Open = (target: Element, x: number, y: number) => boolean;

/** Handlers for the other mouse button and, on touch screens (one of which tells nothing of it), a long press. */
export function useLongPress(open: Open) {
  const pressed = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number }>(undefined);
  const stop = useCallback(() => {
    clearTimeout(pressed.current?.timer);
    pressed.current = undefined;
  }, []);
  useEffect(() => stop, [stop]);
  return {
    onContextMenu: (event: MouseEvent) => {
      // Marked text, links and pictures have the browser's own menu.
      const isMarked = getSelection()?.isCollapsed === false;
      if (!(event.target instanceof Element) || isMarked || event.target.closest('a')) return;
      stop();
      if (open(event.target, event.clientX, event.clientY)) event.preventDefault();
    },
    onPointerDown: ({ pointerType, target, clientX: x, clientY: y }: PointerEvent) => {
      stop();
      if (pointerType !== 'touch' || !(target instanceof Element) || target.closest('a')) return;
      pressed.current = { timer: setTimeout(() => open(target, x, y), pressMs), x, y };
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      const begun = pressed.current;
      if (begun && Math.hypot(clientX - begun.x, clientY - begun.y) > movedPx) stop();
    },
    onPointerUp: stop,
    onPointerCancel: stop,
  };
}
