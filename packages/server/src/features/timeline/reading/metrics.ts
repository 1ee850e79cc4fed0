import type { Metrics } from '../../../kernel/metrics.ts';
import type { InFlight } from './in-flight.ts';
import type { OutboxShelves } from './outbox-shelves.ts';
import type { HotOutboxes } from './outboxes.ts';
import type { Prefetch } from './prefetch.ts';

export interface MeasuredReading {
  readonly inFlight: InFlight;
  readonly outboxes: HotOutboxes;
  readonly shelves: OutboxShelves;
  readonly prefetch: Prefetch;
}

/** What this process knows of timelines by itself. */
export function exportReading(
  metrics: Metrics,
  { inFlight, outboxes, shelves, prefetch }: MeasuredReading,
): void {
  metrics.gauge('timeline_in_flight_known', 'Entries in flight that this process knows of', () => {
    return inFlight.size;
  });
  metrics.gauge('timeline_crowded_authors', 'Authors whose entries in flight are not kept one by one', () => {
    return inFlight.crowded.size;
  });
  metrics.gauge('timeline_hot_outboxes', 'Outboxes in this process', () => outboxes.size.authors);
  metrics.gauge('timeline_hot_outbox_entries', 'Entries of the outboxes in this process', () => {
    return outboxes.size.entries;
  });
  metrics.counter(
    'timeline_hot_outbox_loads_total',
    'Batches of outboxes brought into this process',
    [],
    () => [[{}, outboxes.loads]],
  );
  metrics.counter(
    'timeline_outbox_shelves_made_total',
    'Outboxes put into the store for all nodes',
    [],
    () => [[{}, shelves.made]],
  );
  metrics.counter(
    'timeline_prefetches_total',
    'Outboxes brought for the next pages of a reader, and how often one then went on',
    ['what'],
    () => [
      [{ what: 'begun' }, prefetch.begunTimes],
      [{ what: 'used' }, prefetch.usedTimes],
    ],
  );
}
