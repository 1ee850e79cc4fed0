import type { ChangeConsumer, ChangeFeed } from '../ports/change-feed/port.ts';

export interface IndexerDeps {
  /** Caches and announcements follow it already. */
  readonly changes: ChangeFeed;
  readonly consumers: readonly ChangeConsumer[];
}

/** Whatever is derived from committed changes follows them here. Of several indexers one leads, and the others wait to take over. */
export function openIndexer({ changes, consumers }: IndexerDeps) {
  for (const consumer of consumers) changes.follow(consumer);
  return { start: () => changes.start() };
}
