import type { Metrics } from '../../kernel/metrics.ts';
import type { Commits } from './commit/index.ts';
import type { Delivery } from './delivery/index.ts';
import type { Checkpoints } from './sync/checkpoints.ts';
import type { OfflineBoxes } from './sync/offline-boxes.ts';
import type { Sync } from './sync/sync.ts';

export interface ChatParts {
  readonly committer: Commits;
  readonly delivery: Delivery;
  readonly sync: Sync;
  readonly checkpoints: Checkpoints;
  readonly boxes: OfflineBoxes;
}

export function exportChat(metrics: Metrics, parts: ChatParts): void {
  const { committer, delivery, sync, checkpoints, boxes } = parts;
  metrics.gauge(
    'chat_sends_waiting',
    'Messages not yet in a batch, or handed over and not answered',
    () => committer.waiting,
  );
  metrics.gauge('chat_owners', 'Processes that commit what is said here', () => committer.owners);
  metrics.gauge('chat_long_polls', 'Requests that wait for news', () => sync.waiting);
  metrics.gauge('chat_cursors_waiting', 'Acknowledgements not yet kept', () => checkpoints.waiting);
  metrics.gauge(
    'chat_cursors_lost',
    'Acknowledgements never kept: there was no room',
    () => checkpoints.lost,
  );
  metrics.gauge('chat_pointers_left_out', 'Messages that no offline box names', () => boxes.leftOut);
  metrics.counter(
    'chat_deliveries_total',
    'Messages given to devices, and what had to be made up for',
    ['what'],
    () => {
      const { deliveries, gaps, pulled, repaired, misses, parcels, parcelsFailed } = delivery.stats;
      const counts = { deliveries, gaps, pulled, repaired, misses, parcels, parcelsFailed };
      return Object.entries(counts).map(([what, count]) => [{ what }, count] as const);
    },
  );
  metrics.gauge(
    'chat_devices_behind',
    'Devices that something was not delivered to yet',
    () => delivery.stats.behind,
  );
}
