import type { Clock } from '../../../kernel/clock.ts';
import type { Database } from '../../../ports/database/port.ts';

/** Resolves when every other session sees what these transactions did. */
export type WaitUntilVisible = (xids: readonly number[], signal: AbortSignal) => Promise<void>;

const WRAP = 2n ** 32n;
const LONGEST_PAUSE_MS = 50;

/**
 * PostgreSQL streams a commit as soon as its record is written, which is before the committing session takes itself off
 * the list of running transactions: others do not see it for a moment, and for long when it waits for a standby.
 */
export function untilVisibleIn(db: Database, clock: Clock): WaitUntilVisible {
  return async (xids, signal) => {
    let left = xids;
    for (let pauseMs = 0; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2 + 1)) {
      const [row] = await db.sql<{ snapshot: string }>`
        select pg_current_snapshot()::text as snapshot`.withSignal(signal);
      left = invisible(left, row?.snapshot ?? '');
      if (left.length === 0) return;
      await clock.sleep(pauseMs, { signal });
    }
  };
}

/** Those of `xids` (without their epoch) that a snapshot, `xmin:xmax:running,...`, does not show. */
export function invisible(xids: readonly number[], snapshot: string): number[] {
  const [xmin = '', xmax = '', list = ''] = snapshot.split(':');
  if (xmin === '' || xmax === '') throw new Error(`not a snapshot: ${snapshot}`);
  const running = new Set(
    list
      .split(',')
      .filter((xid) => xid !== '')
      .map((xid) => Number(BigInt(xid) % WRAP)),
  );
  const [oldest, next] = [Number(BigInt(xmin) % WRAP), Number(BigInt(xmax) % WRAP)];
  return xids.filter((xid) => !precedes(xid, oldest) && (!precedes(xid, next) || running.has(xid)));
}

/** As PostgreSQL compares them: half of the circle lies before. */
const precedes = (one: number, other: number) => ((one - other) | 0) < 0;
