import type { Clock } from '../../kernel/clock.ts';
import type { Database } from '../../ports/database/port.ts';

/** For each person. */
export const MAX_NOTIFICATIONS = 1_000;
export const MAX_AGE_MS = 90 * 86_400_000;
const AT_ONCE = 2_000;

/** What is older than anybody looks back, and of each person's the oldest beyond the limit. */
export async function cleanNotifications(
  { sql }: Database,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  const before = new Date(clock.nowMs() - MAX_AGE_MS);
  for (;;) {
    const gone = await sql`
      delete from notification where id in (select id from notification where updated_at < ${before} limit ${AT_ONCE})
      returning 1 as one`.withSignal(signal);
    if (gone.length < AT_ONCE) break;
  }
  const full = await sql<{ id: string }>`
    select recipient_id as id from notification group by recipient_id
    having count(*) > ${MAX_NOTIFICATIONS}`.withSignal(signal);
  for (const { id } of full) {
    await sql`
      delete from notification where id in (
        select id from notification where recipient_id = ${id}
        order by position desc, id desc offset ${MAX_NOTIFICATIONS})`.withSignal(signal);
  }
}
