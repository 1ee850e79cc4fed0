import type { Relation, User } from '@hvideo/protocol';
import { MemoryAnnouncements } from '../../src/adapters/memory/announcements.ts';
import { toUser, type UserColumns } from '../../src/features/accounts/index.ts';
import { announceEpochs, bumpEpochs } from '../../src/features/graph/index.ts';
import { readRelations } from '../../src/features/graph/relations.ts';
import type { People } from '../../src/features/videos/index.ts';
import type { Ids } from '../../src/kernel/ids.ts';
import type { Announcements } from '../../src/ports/announcements/port.ts';
import type { Database, Sql } from '../../src/ports/database/port.ts';
import type { TellOwnChanges } from '../../src/ports/own-changes/port.ts';

/** People and edges by their tables: for suites that are about something else. */
export class Graph implements People {
  readonly #db: Database;
  readonly #ids: Ids;
  readonly #announcements: Announcements;
  readonly #tell: TellOwnChanges;

  constructor(
    db: Database,
    ids: Ids,
    announcements: Announcements = new MemoryAnnouncements(),
    tell: TellOwnChanges = async () => {},
  ) {
    this.#db = db;
    this.#announcements = announcements;
    this.#tell = tell;
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

  follow(follower: string, followee: string): Promise<void> {
    return this.#change([follower], followee, async (tx) => {
      await tx`
        insert into follow (id, follower_id, followee_id, created_at)
        values (${this.#ids.next()}, ${follower}, ${followee}, ${new Date()}) on conflict do nothing`;
    });
  }

  unfollow(follower: string, followee: string): Promise<void> {
    return this.#change([follower], followee, async (tx) => {
      await tx`delete from follow where follower_id = ${follower} and followee_id = ${followee}`;
    });
  }

  mute(muter: string, muted: string): Promise<void> {
    return this.#change([muter], muted, async (tx) => {
      await tx`
        insert into mute (id, muter_id, muted_id, created_at)
        values (${this.#ids.next()}, ${muter}, ${muted}, ${new Date()}) on conflict do nothing`;
    });
  }

  unmute(muter: string, muted: string): Promise<void> {
    return this.#change([muter], muted, async (tx) => {
      await tx`delete from mute where muter_id = ${muter} and muted_id = ${muted}`;
    });
  }

  /** Also ends the follows, as the feature does. */
  block(blocker: string, blocked: string): Promise<void> {
    return this.#change([blocker, blocked], blocked, async (tx) => {
      await tx`
        insert into block (id, blocker_id, blocked_id, created_at)
        values (${this.#ids.next()}, ${blocker}, ${blocked}, ${new Date()}) on conflict do nothing`;
      await tx`
        delete from follow where (follower_id = ${blocker} and followee_id = ${blocked})
          or (follower_id = ${blocked} and followee_id = ${blocker})`;
    });
  }

  unblock(blocker: string, blocked: string): Promise<void> {
    return this.#change([blocker, blocked], blocked, async (tx) => {
      await tx`delete from block where blocker_id = ${blocker} and blocked_id = ${blocked}`;
    });
  }

  async #change(
    touched: readonly [string, ...string[]],
    other: string,
    work: (tx: Sql) => Promise<void>,
  ): Promise<void> {
    const epochs = await this.#db.transaction(async (tx) => {
      await work(tx);
      return bumpEpochs(tx, touched);
    });
    const [one] = touched;
    await Promise.all([
      announceEpochs(this.#announcements, epochs),
      this.#tell([
        { table: 'follow', after: { follower_id: one, followee_id: other } },
        { table: 'follow', after: { follower_id: other, followee_id: one } },
        { table: 'mute', after: { muter_id: one, muted_id: other } },
        { table: 'block', after: { blocker_id: one, blocked_id: other } },
      ]),
    ]);
  }

  async suspend(id: string, suspended: boolean): Promise<void> {
    await this.#db.sql`update account set suspended_at = ${suspended ? new Date() : null} where id = ${id}`;
    await this.#tell([{ table: 'account', after: { id } }]);
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
