import type { Database, Sql } from '../../ports/database/port.ts';
import type { Fences } from '../../ports/fences/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';

export const fenceOf = (videoId: string) => `video:${videoId}`;

/** What makes a removal visible at once: a row in its transaction, then the fence, then the answer. */
export class Withdrawals {
  readonly #fences: Fences;
  readonly #tell: TellOwnChanges;

  constructor(fences: Fences, tell: TellOwnChanges) {
    this.#fences = fences;
    this.#tell = tell;
  }

  async record(tx: Sql, videoIds: readonly string[]): Promise<void> {
    const names = videoIds.map(fenceOf);
    await tx`
      insert into fence (name) select * from unnest(${tx.array(names, 'text')}) order by 1
      on conflict (name) do update set raised_at = excluded.raised_at`;
  }

  /** After the commit. Errors: `timeout` (outcome unknown): the fences could not be raised. */
  async raise(videoIds: readonly string[]): Promise<void> {
    await this.#fences.raise(videoIds.map(fenceOf));
    await this.#tell(videoIds.map((id) => ({ table: 'video', before: { id } })));
  }
}

/** Two days: no cache keeps anything longer than one. */
export async function loadFences({ sql }: Database): Promise<string[]> {
  const rows = await sql<{ name: string }>`
    select name from fence where raised_at > now() - interval '2 days'`;
  return rows.map(({ name }) => name);
}

/** Which of these names are fences. */
export async function readFences({ sql }: Database, names: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ name: string }>`
    select name from fence where name = any(${sql.array(names, 'text')})`;
  return new Set(rows.map(({ name }) => name));
}

export async function cleanFences({ sql }: Database): Promise<void> {
  await sql`delete from fence where raised_at < now() - interval '3 days'`;
}
