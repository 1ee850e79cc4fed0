import { type KeyboardEvent, type RefObject, useCallback, useEffect } from 'react';

const stops = 'button[data-options]';

/**
 * Messages are one stop of the Tab key; the arrow keys lead from one to the next. What has the focus is the button for a
 * message's options, so Enter opens them.
 */
export function useRoving(list: RefObject<HTMLElement | null>): (event: KeyboardEvent) => void {
  useEffect(() => {
    // After each change the last one is where Tab leads, unless the focus is on another.
    const all = buttonsOf(list.current);
    const focused = all.find((button) => button === document.activeElement) ?? all.at(-1);
    for (const button of all) button.tabIndex = button === focused ? 0 : -1;
  });
  return useCallback(
    (event) => {
      if (!(event.target instanceof HTMLElement) || !event.target.matches(stops)) return;
      const all = buttonsOf(list.current);
      const at = all.indexOf(event.target as HTMLButtonElement);
      const next = all[nextIndex(event.key, at, all.length) ?? -1];
      if (next === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      event.target.tabIndex = -1;
      next.tabIndex = 0;
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: 'nearest' });
    },
    [list],
  );
}

function nextIndex(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowUp':
      return Math.max(0, at - 1);
    case 'ArrowDown':
      return Math.min(count - 1, at + 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

const buttonsOf = (list: HTMLElement | null): HTMLButtonElement[] =>
  list === null ? [] : [...list.querySelectorAll<HTMLButtonElement>(stops)];
