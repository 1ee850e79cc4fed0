import type { Relation, User } from '@hvideo/protocol';
import { toUser, type UserColumns } from '../../src/features/accounts/index.ts';
import { readRelations } from '../../src/features/graph/relations.ts';
import type { People } from '../../src/features/videos/index.ts';
import type { Ids } from '../../src/kernel/ids.ts';
import type { Database } from '../../src/ports/database/port.ts';

/** People and edges by their tables: for suites that are about something else. */
export class Graph implements People {
  readonly #db: Database;
  readonly #ids: Ids;
  readonly #onChange: () => Promise<void>;

  constructor(db: Database, ids: Ids, onChange: () => Promise<void> = async () => {}) {
    this.#db = db;
    this.#onChange = onChange;
    this.#ids = ids;
  }

  /** A new account; answers its id. */
  async person(): Promise<string> {
    const { sql } = this.#db;
    const id = this.#ids.next();
    await sql`
      insert into account (id, username, display_name, created_at)
      values (${id}, ${`user_${id}`}, ${`User ${id}`}, ${new Date()})`;
    await sql`insert into account_counts (account_id) values (${id})`;
    return id;
  }

  async follow(follower: string, followee: string): Promise<void> {
    await this.#db.sql`
      insert into follow (id, follower_id, followee_id, created_at)
      values (${this.#ids.next()}, ${follower}, ${followee}, ${new Date()}) on conflict do nothing`;
    await this.#onChange();
  }

  async unfollow(follower: string, followee: string): Promise<void> {
    await this.#db.sql`delete from follow where follower_id = ${follower} and followee_id = ${followee}`;
    await this.#onChange();
  }

  async mute(muter: string, muted: string): Promise<void> {
    await this.#db.sql`
      insert into mute (id, muter_id, muted_id, created_at)
      values (${this.#ids.next()}, ${muter}, ${muted}, ${new Date()}) on conflict do nothing`;
    await this.#onChange();
  }

  async unmute(muter: string, muted: string): Promise<void> {
    await this.#db.sql`delete from mute where muter_id = ${muter} and muted_id = ${muted}`;
    await this.#onChange();
  }

  /** Also ends the follows, as the feature does. */
  async block(blocker: string, blocked: string): Promise<void> {
    await this.#db.sql`
      insert into block (id, blocker_id, blocked_id, created_at)
      values (${this.#ids.next()}, ${blocker}, ${blocked}, ${new Date()}) on conflict do nothing`;
    await this.unfollow(blocker, blocked);
    await this.unfollow(blocked, blocker);
    await this.#onChange();
  }

  async unblock(blocker: string, blocked: string): Promise<void> {
    await this.#db.sql`delete from block where blocker_id = ${blocker} and blocked_id = ${blocked}`;
    await this.#onChange();
  }

  async suspend(id: string, suspended: boolean): Promise<void> {
    await this.#db.sql`update account set suspended_at = ${suspended ? new Date() : null} where id = ${id}`;
    await this.#onChange();
  }

  async cards(ids: readonly string[]): Promise<Map<string, User>> {
    const { sql } = this.#db;
    const rows = await sql<UserColumns>`
      select id, username, display_name, avatar_key from account where id = any(${sql.array(ids, 'int8')})`;
    return new Map(rows.map((row) => [row.id, toUser(row)]));
  }

  relations(viewerId: string, ids: readonly string[]): Promise<Map<string, Relation>> {
    return readRelations(this.#db.sql, viewerId, ids);
  }

  async resolve(reference: string): Promise<string | undefined> {
    const [row] = await this.#db.sql<{ id: string }>`select id from account where id = ${reference}`;
    return row?.id;
  }
}
