import { ID_EPOCH_MS } from '../../kernel/ids.ts';
import type { Sql, SqlQuery } from '../../ports/database/port.ts';

/** Names a row of a source: on what, and by whom. Of comments: the comment alone. */
export interface ActKey {
  readonly subject: string;
  readonly actor: string;
}

/** A table whose rows are acts that somebody is told of. */
export interface Source {
  readonly table: string;
  readonly subject: string;
  readonly actor: string;
  /**
   * The acts that are there, of `key (subject, actor)`: columns recipient_id, kind, subject_id, actor_id, act_id, video_id,
   * comment_id (that is liked), written_id (the comment that the act is), position, at.
   */
  acts(sql: Sql): SqlQuery<unknown[]>;
  /** Acts of these keys are withdrawn or not, as the rows are there or not; undefined: the rows take them along. */
  readonly withdraw?: (sql: Sql) => SqlQuery<unknown[]>;
  /** The keys of all rows since then, in their order. */
  walk(sql: Sql, after: ActKey, since: Date, limit: number): Promise<ActKey[]>;
  /** The keys of all acts that were told. */
  walkTold(sql: Sql, after: ActKey, limit: number): Promise<ActKey[]>;
}

type Told = 'like' | 'repost' | 'comment-like' | 'follow';

/** What somebody does once or not at all: a row is its key. */
function edge(
  kind: Told,
  names: { table: string; subject: string; actor: string },
  parts: { key: (sql: Sql) => [SqlQuery<unknown[]>, SqlQuery<unknown[]>, SqlQuery<unknown[]>] },
  acts: (sql: Sql) => SqlQuery<unknown[]>,
): Source {
  return {
    ...names,
    acts,
    withdraw(sql) {
      const [table, subject, actor] = parts.key(sql);
      return sql`
        select ${kind} as kind, key.subject, key.actor,
          not exists (select 1 from ${table} where ${subject} = key.subject and ${actor} = key.actor) as gone`;
    },
    async walk(sql, after, since, limit) {
      const [table, subject, actor] = parts.key(sql);
      return sql<ActKey>`
        select ${subject} as subject, ${actor} as actor from ${table}
        where (${subject}, ${actor}) > (${after.subject}::int8, ${after.actor}::int8) and t.created_at > ${since}
        order by ${subject}, ${actor} limit ${limit}`;
    },
    walkTold: async (sql, after, limit) => sql<ActKey>`
      select subject_id as subject, actor_id as actor from notification_act
      where kind = ${kind} and (subject_id, actor_id) > (${after.subject}::int8, ${after.actor}::int8)
      order by subject_id, actor_id limit ${limit}`,
  };
}

const onVideo = (kind: 'like' | 'repost', table: string) => {
  const named = (sql: Sql) => (kind === 'like' ? sql`video_like t` : sql`repost t`);
  return edge(
    kind,
    { table, subject: 'video_id', actor: 'account_id' },
    { key: (sql) => [named(sql), sql`t.video_id`, sql`t.account_id`] },
    (sql) => sql`
      select v.author_id as recipient_id, ${kind} as kind, v.id as subject_id, t.account_id as actor_id, 0::int8 as act_id,
        v.id as video_id, null::int8 as comment_id, null::int8 as written_id, t.id as position, t.created_at as at
      from key join ${named(sql)} on t.video_id = key.subject and t.account_id = key.actor
        join video v on v.id = t.video_id`,
  );
};

const commentLike = edge(
  'comment-like',
  { table: 'comment_like', subject: 'comment_id', actor: 'account_id' },
  { key: (sql) => [sql`comment_like t`, sql`t.comment_id`, sql`t.account_id`] },
  // Its position is that of an id made at the time: likes of comments have none of their own.
  (sql) => sql`
    select c.author_id as recipient_id, 'comment-like' as kind, c.id as subject_id, t.account_id as actor_id,
      0::int8 as act_id, c.video_id, c.id as comment_id, null::int8 as written_id,
      (floor(extract(epoch from t.created_at) * 1000)::int8 - ${ID_EPOCH_MS}::int8) << 22 as position, t.created_at as at
    from key join comment_like t on t.comment_id = key.subject and t.account_id = key.actor
      join comment c on c.id = t.comment_id`,
);

const follow = edge(
  'follow',
  { table: 'follow', subject: 'followee_id', actor: 'follower_id' },
  { key: (sql) => [sql`follow t`, sql`t.followee_id`, sql`t.follower_id`] },
  (sql) => sql`
    select t.followee_id as recipient_id, 'follow' as kind, t.followee_id as subject_id, t.follower_id as actor_id,
      0::int8 as act_id, null::int8 as video_id, null::int8 as comment_id, null::int8 as written_id,
      t.id as position, t.created_at as at
    from key join follow t on t.followee_id = key.subject and t.follower_id = key.actor`,
);

/** It tells each person once: whom it answers, then whom it names, then whose video it is. A deleted one takes its acts along. */
const comment: Source = {
  table: 'comment',
  subject: 'id',
  actor: '',
  acts: (sql) => sql`
    select distinct on (c.id, who.recipient_id) who.recipient_id, who.kind, who.subject_id, c.author_id as actor_id,
      c.id as act_id, c.video_id, null::int8 as comment_id, c.id as written_id, c.id as position, c.created_at as at
    from key join comment c on c.id = key.subject join video v on v.id = c.video_id cross join lateral (
      select 1 as place, r.author_id as recipient_id, 'reply' as kind, r.id as subject_id
        from comment r where r.id = c.reply_to
      union all select 2, a.id, 'mention', c.id from account a where a.id = any(c.mentions)
      union all select 3, v.author_id, 'comment', v.id) as who
    order by c.id, who.recipient_id, who.place`,
  walk: async (sql, after, since, limit) => sql<ActKey>`
    select id as subject, 0::int8 as actor from comment
    where id > ${after.subject} and created_at > ${since} order by id limit ${limit}`,
  walkTold: async () => [],
};

export const sources: Readonly<Record<string, Source>> = {
  like: onVideo('like', 'video_like'),
  repost: onVideo('repost', 'repost'),
  ...{ commentLike, follow, comment },
};

/** One's own acts are not told, nor those before `since`. */
export async function tellActs(tx: Sql, source: Source, keys: readonly ActKey[], since: Date): Promise<void> {
  const subjects = keys.map(({ subject }) => subject);
  const actors = keys.map(({ actor }) => actor);
  const key = tx`unnest(${tx.array(subjects, 'int8')}, ${tx.array(actors, 'int8')}) as key (subject, actor)`;
  if (source.withdraw) {
    await tx`
      update notification_act a set withdrawn = now.gone from (${source.withdraw(tx)} from ${key}) as now
      where a.kind = now.kind and a.subject_id = now.subject and a.actor_id = now.actor and a.withdrawn <> now.gone`;
  }
  // A comment that answered one that has gone would tell the same person again, as another kind.
  // Opening locks what is open already: one who reads it meanwhile waits, and sees whether it has grown.
  await tx`
    with key as materialized (select * from ${key}), act as (${source.acts(tx)}),
    fresh as materialized (
      select * from act where recipient_id <> actor_id and at > ${since} and not exists (
        select 1 from notification_act a where a.kind = act.kind and a.subject_id = act.subject_id
          and a.actor_id = act.actor_id and a.recipient_id = act.recipient_id and a.act_id = act.act_id)
        and not exists (
          select 1 from notification_act a where a.comment_id = act.written_id and a.recipient_id = act.recipient_id)),
    opened as (
      insert into notification as n (recipient_id, kind, subject_id, video_id, comment_id, position, updated_at)
      select recipient_id, kind, subject_id, video_id, comment_id, max(position), max(at) from fresh
      group by recipient_id, kind, subject_id, video_id, comment_id order by recipient_id, kind, subject_id
      on conflict (recipient_id, kind, subject_id) where read_at is null do update set
        position = greatest(n.position, excluded.position), updated_at = greatest(n.updated_at, excluded.updated_at)
      returning id, recipient_id, kind, subject_id)
    insert into notification_act
      (kind, subject_id, actor_id, recipient_id, act_id, comment_id, notification_id, position)
    select kind, subject_id, actor_id, recipient_id, act_id, written_id, opened.id, position
    from fresh join opened using (recipient_id, kind, subject_id)`;
}
