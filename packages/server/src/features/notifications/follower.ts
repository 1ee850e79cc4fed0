import type { Clock } from '../../kernel/clock.ts';
import { effectOnce } from '../../ports/change-feed/effect-once.ts';
import type { ChangeBatch, ChangeConsumer, RowChange } from '../../ports/change-feed/port.ts';
import type { Database, Sql } from '../../ports/database/port.ts';
import { MAX_AGE_MS } from './clean.ts';
import { type ActKey, type Source, sources, tellActs } from './sources.ts';

const NAME = 'notifications';
const AT_ONCE = 2_000;

/**
 * Turns changed rows into notifications, with two statements for each table and batch. What counts is whether the row is
 * there now: a like that was taken back meanwhile tells nobody, and to see a change twice changes nothing.
 */
export class Follower implements ChangeConsumer {
  readonly name = NAME;
  readonly tables = Object.values(sources).map(({ table }) => ({ table }));
  readonly #db: Database;
  readonly #clock: Clock;

  constructor(db: Database, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  async handle(batch: ChangeBatch, signal: AbortSignal): Promise<void> {
    if (batch.rows.some(({ operation }) => operation === 'truncate')) await this.rebuild(signal);
    await effectOnce(this.#db, NAME, batch, async (tx, { rows }) => {
      for (const source of Object.values(sources)) await this.#tell(tx, source, keysOf(source, rows));
    });
  }

  /** Missed changes: what is there is told unless it was, and what is gone is taken back. */
  async rebuild(signal: AbortSignal): Promise<void> {
    for (const source of Object.values(sources)) {
      await this.#walk(source, signal, (after) => source.walk(this.#db.sql, after, this.#since(), AT_ONCE));
      await this.#walk(source, signal, (after) => source.walkTold(this.#db.sql, after, AT_ONCE));
    }
  }

  async #walk(
    source: Source,
    signal: AbortSignal,
    next: (after: ActKey) => Promise<readonly ActKey[]>,
  ): Promise<void> {
    let after: ActKey = { subject: '0', actor: '0' };
    for (;;) {
      signal.throwIfAborted();
      const keys = await next(after);
      await this.#db.transaction(async (tx) => {
        // One after another with what `handle` does.
        await tx`insert into change_position (consumer, position) values (${NAME}, '') on conflict do nothing`;
        await tx`select 1 as one from change_position where consumer = ${NAME} for update`;
        await this.#tell(tx, source, keys);
      });
      const last = keys.at(-1);
      if (!last || keys.length < AT_ONCE) return;
      after = last;
    }
  }

  async #tell(tx: Sql, source: Source, keys: readonly ActKey[]): Promise<void> {
    if (keys.length > 0) await tellActs(tx, source, keys, this.#since());
  }

  #since(): Date {
    return new Date(this.#clock.nowMs() - MAX_AGE_MS);
  }
}

/** Each once; an update changes nothing that is told. */
function keysOf(source: Source, rows: readonly RowChange[]): ActKey[] {
  const keys = new Map<string, ActKey>();
  for (const { table, operation, before, after } of rows) {
    if (table !== source.table || (operation !== 'insert' && operation !== 'delete')) continue;
    const row = after ?? before ?? {};
    const key = { subject: String(row[source.subject]), actor: String(row[source.actor] ?? '0') };
    keys.set(`${key.subject}:${key.actor}`, key);
  }
  return [...keys.values()];
}
