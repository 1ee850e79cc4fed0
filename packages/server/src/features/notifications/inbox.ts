import {
  type Notification,
  type NotificationFilter,
  type NotificationKind,
  type Page,
  UNREAD_MAX,
} from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { type CursorCodec, pageOfRows } from '../../kernel/cursor.ts';
import type { Database, SqlQuery } from '../../ports/database/port.ts';
import {
  afterAllIds,
  type PageRequest,
  type People,
  type Presenter,
  type VideoRow,
  videoColumns,
  visibleTo,
} from '../videos/index.ts';

export interface InboxDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly people: Pick<People, 'cards' | 'relations'>;
  readonly presenter: Pick<Presenter, 'coverUrl'>;
}

type GroupRow = { [name in keyof VideoRow]: VideoRow[name] | null } & {
  readonly notificationId: string;
  readonly kind: NotificationKind;
  readonly position: string;
  readonly updatedAt: Date;
  readonly isRead: boolean;
};

interface Gathered {
  readonly id: string;
  readonly count: number;
  /** The newest first. */
  readonly actors: string[];
  readonly comment: Notification['comment'];
}

const SHOWN_ACTORS = 3;
const SHOWN_TEXT = 200;

const kindsOf: Readonly<Record<NotificationFilter, readonly NotificationKind[]>> = {
  comments: ['comment', 'reply', 'mention'],
  likes: ['like', 'comment-like', 'repost'],
  follows: ['follow'],
};

/**
 * What somebody is told. Checked whenever it is read: acts of the suspended, and of whom one blocks, mutes or is blocked by, do not
 * count, and a video that one may not see any more is not spoken of.
 */
export class Inbox {
  readonly #deps: InboxDeps;

  constructor(deps: InboxDeps) {
    this.#deps = deps;
  }

  /** Four statements, however long the page. Errors: `invalid-cursor`. */
  async page(
    accountId: string,
    { cursor, limit, kind }: PageRequest & { kind?: NotificationFilter | undefined },
  ): Promise<Page<Notification>> {
    const { cursors, db } = this.#deps;
    const { sql } = db;
    const cursorKind = `notifications:${accountId}:${kind ?? ''}`;
    const [position = afterAllIds, id = afterAllIds] =
      cursor === undefined ? [] : cursors.decode(cursorKind, cursor);
    const ofKind = kind === undefined ? sql`true` : sql`n.kind = any(${sql.array(kindsOf[kind], 'text')})`;
    const rows = await sql<GroupRow>`
      with hidden as materialized (${this.#hidden(accountId)})
      select ${videoColumns(sql)}, n.id as "notificationId", n.kind, n.position, n.updated_at as "updatedAt",
        n.read_at is not null as "isRead"
      from ${this.#shown(accountId)} and (n.position, n.id) < (${position}::int8, ${id}::int8) and ${ofKind}
      order by n.position desc, n.id desc limit ${limit + 1}`;
    const page = pageOfRows(rows, limit, (last) =>
      cursors.encode(cursorKind, [last.position, last.notificationId]),
    );
    return { items: await this.#told(accountId, page.rows), nextCursor: page.nextCursor };
  }

  /** At most `UNREAD_MAX`. One statement. */
  async unread(accountId: string): Promise<{ count: number }> {
    const { sql } = this.#deps.db;
    const [row] = await sql<{ count: number }>`
      with hidden as materialized (${this.#hidden(accountId)})
      select count(*)::int4 as count from (
        select 1 from ${this.#shown(accountId)} and n.read_at is null limit ${UNREAD_MAX}) as unread`;
    return { count: row?.count ?? 0 };
  }

  /** All, or those whose last act is not after `upTo`. */
  async read(accountId: string, { upTo = afterAllIds }: { upTo?: string | undefined }): Promise<void> {
    const { clock, db } = this.#deps;
    await db.sql`
      update notification set read_at = ${new Date(clock.nowMs())}
      where recipient_id = ${accountId} and read_at is null and position <= ${upTo}`;
  }

  #hidden(accountId: string): SqlQuery<unknown[]> {
    const { clock, db } = this.#deps;
    return db.sql`
      select blocked_id as id from block where blocker_id = ${accountId}
      union all select blocker_id from block where blocked_id = ${accountId}
      union all select muted_id from mute where muter_id = ${accountId}
      union all select id from account
        where suspended_at is not null and (suspended_until is null or suspended_until > ${new Date(clock.nowMs())})`;
  }

  /** `notification n` with its `video v`: what follows `from`, to be gone on with by `and`. Needs `hidden`. */
  #shown(accountId: string): SqlQuery<unknown[]> {
    const { clock, db } = this.#deps;
    return db.sql`notification n left join video v on v.id = n.video_id
      where n.recipient_id = ${accountId}
        and (n.video_id is null or ${visibleTo(db.sql, accountId, new Date(clock.nowMs()))})
        and exists (select 1 from notification_act a
          where a.notification_id = n.id and not a.withdrawn and a.actor_id not in (select id from hidden))`;
  }

  async #told(accountId: string, rows: readonly GroupRow[]): Promise<Notification[]> {
    if (rows.length === 0) return [];
    const { people, presenter } = this.#deps;
    const gathered = await this.#gathered(accountId, rows);
    const actorIds = [...new Set([...gathered.values()].flatMap(({ actors }) => actors))];
    const [users, relations] = await Promise.all([
      people.cards(actorIds),
      people.relations(accountId, actorIds),
    ]);
    return rows.flatMap((row) => {
      const acts = gathered.get(row.notificationId);
      const actors = (acts?.actors ?? []).flatMap((id) => {
        const [user, relation] = [users.get(id), relations.get(id)];
        return user && relation ? [{ ...user, relation }] : [];
      });
      // Taken back since the first statement.
      if (!acts || actors.length === 0) return [];
      const { notificationId: id, kind, position, updatedAt, isRead: read } = row;
      const video = isVideo(row)
        ? { id: row.id, title: row.title, coverUrl: presenter.coverUrl(row, accountId) }
        : null;
      const { count, comment } = acts;
      return [
        {
          ...{ id, kind, actors, count, video, comment, read, position },
          updatedAt: updatedAt.toISOString(),
        },
      ];
    });
  }

  async #gathered(accountId: string, rows: readonly GroupRow[]): Promise<Map<string, Gathered>> {
    const { sql } = this.#deps.db;
    const ids = rows.map(({ notificationId }) => notificationId);
    const found = await sql<Gathered>`
      with hidden as materialized (${this.#hidden(accountId)}),
      act as (
        select notification_id, actor_id, max(position) as position, max(comment_id) as comment_id
        from notification_act where notification_id = any(${sql.array(ids, 'int8')}) and not withdrawn
          and actor_id not in (select id from hidden)
        group by notification_id, actor_id),
      ranked as (
        select *, row_number() over (partition by notification_id order by position desc, actor_id) as place,
          count(*) over (partition by notification_id) as total from act),
      newest as (
        select notification_id, max(total)::int4 as count, array_agg(actor_id::text order by place) as actors,
          max(comment_id) as comment_id
        from ranked where place <= ${SHOWN_ACTORS} group by notification_id)
      select n.id, newest.count, newest.actors,
        case when c.id is not null then jsonb_build_object(
          'id', c.id::text, 'text', left(c.text, ${SHOWN_TEXT}), 'rootId', c.root_id::text) end as comment
      from newest join notification n on n.id = newest.notification_id
        left join comment c on c.id = coalesce(newest.comment_id, n.comment_id)`;
    return new Map(found.map((each) => [each.id, each]));
  }
}

function isVideo(row: GroupRow): row is GroupRow & VideoRow {
  return row.id !== null;
}
