import type { Metrics } from '../../kernel/metrics.ts';
import type { Committer } from './commit/index.ts';
import type { Checkpoints } from './sync/checkpoints.ts';
import type { OfflineBoxes } from './sync/offline-boxes.ts';
import type { Sync } from './sync/sync.ts';

export interface ChatParts {
  readonly committer: Committer;
  readonly sync: Sync;
  readonly checkpoints: Checkpoints;
  readonly boxes: OfflineBoxes;
}

export function exportChat(metrics: Metrics, { committer, sync, checkpoints, boxes }: ChatParts): void {
  metrics.gauge('chat_sends_waiting', 'Messages not yet in a batch', () => committer.waiting);
  metrics.gauge('chat_long_polls', 'Requests that wait for news', () => sync.waiting);
  metrics.gauge('chat_cursors_waiting', 'Acknowledgements not yet kept', () => checkpoints.waiting);
  metrics.gauge(
    'chat_cursors_lost',
    'Acknowledgements never kept: there was no room',
    () => checkpoints.lost,
  );
  metrics.gauge('chat_pointers_left_out', 'Messages that no offline box names', () => boxes.leftOut);
}
