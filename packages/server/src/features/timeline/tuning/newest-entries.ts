import { compareIds } from '../../../kernel/ids.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import { outboxOf } from '../reading/store.ts';

export interface NewestEntries {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** They are all that these authors have at or above this key; `'0'`: all there are. */
  readonly completeDownTo: string;
}

const minEach = 20;

/**
 * The newest entries over the outboxes of these authors, from the truth, whoever may see them: what a reader may see is
 * decided with each page. First a few of each author, then more of those whose oldest one still is among the newest of all, so that
 * thousands of authors are not read to the depth of one.
 */
export async function newestEntries(
  db: Database,
  authorIds: readonly string[],
  limit: number,
  signal?: AbortSignal,
): Promise<NewestEntries> {
  let found: Entry[] = [];
  let open = new Map(authorIds.map((id) => [id, afterAll]));
  let each = Math.min(limit, Math.max(minEach, Math.ceil((2 * limit) / Math.max(1, authorIds.length))));
  while (open.size > 0) {
    const rows = await outboxes(db, open, each, signal);
    const counts = new Map<string, { count: number; last: string }>();
    // Rows of one author come newest first.
    for (const { authorId, key } of rows)
      counts.set(authorId, { count: (counts.get(authorId)?.count ?? 0) + 1, last: key });
    found = [...found, ...rows].sort((a, b) => compareIds(b.key, a.key)).slice(0, limit);
    const oldest = found.length === limit ? found.at(-1)!.key : '0';
    open = new Map(
      [...counts].flatMap(([id, { count, last }]) =>
        count === each && compareIds(last, oldest) > 0 ? [[id, last]] : [],
      ),
    );
    each = Math.min(limit, each * 2);
  }
  return { entries: found, completeDownTo: found.length === limit ? found.at(-1)!.key : '0' };
}

const afterAll = '9223372036854775807';

async function outboxes(
  { sql }: Database,
  before: ReadonlyMap<string, string>,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Entry[]> {
  return sql<Entry>`
    select entry.key, entry.author_id as "authorId", entry.video_id as "videoId"
    from unnest(${sql.array([...before.keys()], 'int8')}, ${sql.array([...before.values()], 'int8')}) as a (id, before)
    cross join lateral (${outboxOf(sql, sql`a.id`, sql`a.before`, limit)}
    ) entry order by a.id, entry.key desc`.withSignal(signal);
}
