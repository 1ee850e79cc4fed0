import type { SQL } from 'bun';

/** Nobody else can read these tables until `release`. */
export async function locked(sql: SQL, ...tables: string[]) {
  const session = await sql.reserve();
  await session.unsafe(`begin; lock table ${tables.join(', ')} in access exclusive mode`);
  let isHeld = true;
  const release = async () => {
    if (!isHeld) return;
    isHeld = false;
    await session.unsafe('commit');
    session.release();
  };
  return { session, release, [Symbol.asyncDispose]: release };
}

/** Statements that wait for a lock, by a part of their text. */
export async function waitingFor(sql: SQL, text: string): Promise<number> {
  const [row] = await sql`
    select count(*)::int as count from pg_stat_activity
    where wait_event_type = 'Lock' and state = 'active' and query like ${`%${text}%`} and datname = current_database()
      and query not like '%insert into%'`;
  return row.count;
}
