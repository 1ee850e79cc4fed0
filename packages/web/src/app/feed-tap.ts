import { createEvent } from '../lib/signal.ts';

/** The link to a feed was pressed by somebody who is in it: they want what is new. */
export const feedTapped = createEvent<string>();

/** For the links to feeds. */
export function tapFeed(path: '/' | '/following'): void {
  if (location.pathname === path) feedTapped.emit(path);
}
