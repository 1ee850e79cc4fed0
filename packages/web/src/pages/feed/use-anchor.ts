import { useCallback, useRef, useState } from 'react';

interface Held {
  readonly index: number;
  /** Undefined at the slide after the last one. */
  readonly entry: string | undefined;
  /** How far the list has moved below the slide since the start. */
  readonly origin: number;
}

/** Where the held slide is in the list as it is now. */
export function follow(held: Held, entries: readonly string[]): Held {
  const { index, entry, origin } = held;
  if (entries[index] === entry) return held;
  const found = entry === undefined ? -1 : entries.indexOf(entry);
  // It is gone, or more came after the end: the place stays.
  if (found === -1) return { index: Math.min(index, entries.length), entry, origin };
  return { index: found, entry, origin: origin + found - index };
}

/**
 * The slide that is looked at. It stays the same one when others come or go above it; `origin` counts by how many
 * places that has moved it.
 */
export function useAnchor(entries: readonly string[], first: number) {
  const [held, setHeld] = useState<Held>(() => ({ index: first, entry: entries[first], origin: 0 }));
  const latest = useRef(entries);
  latest.current = entries;
  const setActive = useCallback((index: number) => {
    setHeld((before) => {
      const { origin } = follow(before, latest.current);
      return { index, entry: latest.current[index], origin };
    });
  }, []);
  const { index, origin } = follow(held, entries);
  return { active: index, origin, setActive };
}
