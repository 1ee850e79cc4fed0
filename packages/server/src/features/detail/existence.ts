import { dependency, Existence } from '../../cache/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import { ID_EPOCH_MS, idTimeMs, isId, smallestIdAt } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Database } from '../../ports/database/port.ts';

const pageSize = 20_000;

/** Which videos surely do not exist. One index range in each scan. */
export function createVideoExistence(deps: { db: Database; clock: Clock; log: Logger }): Existence {
  const { db, ...rest } = deps;
  return new Existence({
    ...rest,
    row: dependency('video', 'id'),
    createdMs: (id) => (isId(id) ? idTimeMs(id) : undefined),
    scan: (sinceMs, signal) => videoIdsSince(db, sinceMs, signal),
  });
}

async function* videoIdsSince({ sql }: Database, sinceMs: number, signal: AbortSignal) {
  let from = smallestIdAt(Math.max(sinceMs, ID_EPOCH_MS));
  for (;;) {
    const rows = await sql<{ id: string }>`
      select id from video where id >= ${from} order by id limit ${pageSize}`.withSignal(signal);
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0) yield ids;
    if (ids.length < pageSize) return;
    from = String(BigInt(ids.at(-1)!) + 1n);
  }
}
