import { FENCE_KIND } from '../adapters/announced/fences.ts';
import type { AnnouncedLately } from '../adapters/announced/lately.ts';
import { GRAPH_KIND, graphFact } from '../features/graph/index.ts';
import { loadFences } from '../features/videos/index.ts';
import { type Announcement, MAX_ANNOUNCED } from '../ports/announcements/port.ts';
import type { ChangeBatch, ChangeConsumer } from '../ports/change-feed/port.ts';
import type { Database } from '../ports/database/port.ts';
import type { Fences } from '../ports/fences/port.ts';

/** What is announced by whoever writes it, and again from the rows, since a writer may die or not reach the others. */
export const ANNOUNCED_KINDS = [FENCE_KIND, GRAPH_KIND];

export interface AnnouncedChangesDeps {
  readonly announcements: AnnouncedLately;
  readonly fences: Fences;
  readonly database: Database;
}

/** Consumers of the change feed that announce what their writers could not. */
export function announcedChanges({
  announcements,
  fences,
  database,
}: AnnouncedChangesDeps): ChangeConsumer[] {
  const announce = async (records: readonly Announcement[]) => {
    const left = announcements.unannounced(records);
    for (let start = 0; start < left.length; start += MAX_ANNOUNCED)
      await announcements.announce(left.slice(start, start + MAX_ANNOUNCED));
  };
  return [
    {
      name: 'fences',
      tables: [{ table: 'fence' }],
      handle: (batch) =>
        announce(present(batch).map((row) => ({ kind: FENCE_KIND, text: String(row['name']) }))),
      rebuild: async () => fences.raise(await loadFences(database)),
    },
    {
      name: 'graph-epochs',
      tables: [{ table: 'graph_epoch' }],
      handle: (batch) =>
        announce(
          present(batch).map((row) =>
            graphFact({ accountId: String(row['account_id']), epoch: String(row['epoch']) }),
          ),
        ),
      // Whose graph has changed meanwhile no row tells: all nodes read those that they know anew.
      rebuild: () => announcements.beginAnew(),
    },
  ];
}

const present = ({ rows }: ChangeBatch) => rows.flatMap(({ after }) => (after ? [after] : []));
