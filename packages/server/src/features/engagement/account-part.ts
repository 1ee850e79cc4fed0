import type { Database, Sql } from '../../ports/database/port.ts';
import type { AccountPart } from '../accounts/index.ts';
import type { Counters, Increment } from '../counters/index.ts';
import { type Reaction, tableOf } from './reactions.ts';
import type { RepostOutbox } from './reposts.ts';

const reactions: readonly Reaction[] = ['likes', 'favorites', 'shares'];

/** What an account has done on videos: for the export of its data, and for the end of it. */
export function engagementOfAccount(
  db: Database,
  counters: Counters,
  outbox: Pick<RepostOutbox, 'withdrawing'>,
): AccountPart {
  const { sql } = db;
  return {
    name: 'engagement',
    async *exportData(accountId) {
      for (const reaction of reactions) {
        const body = await sql`
          select video_id as "videoId", created_at as "createdAt" from ${tableOf(sql, reaction)}
          where account_id = ${accountId} order by id`;
        yield { path: `${reaction}.json`, body };
      }
      const reposts = await sql`
        select video_id as "videoId", comment, created_at as "createdAt" from repost
        where account_id = ${accountId} order by id`;
      yield { path: 'reposts.json', body: reposts };
      const folders = await sql`
        select f.id, f.name, f.created_at as "createdAt",
          array(select video_id::text from favorite k where k.folder_id = f.id order by k.id) as "videoIds"
        from favorite_folder f where f.account_id = ${accountId} order by f.id`;
      yield { path: 'folders.json', body: folders };
      const comments = await sql`
        select id, video_id as "videoId", reply_to as "replyTo", text, created_at as "createdAt"
        from comment where author_id = ${accountId} order by id`;
      yield { path: 'comments.json', body: comments };
      const likedComments = await sql`
        select comment_id as "commentId", created_at as "createdAt" from comment_like
        where account_id = ${accountId} order by created_at`;
      yield { path: 'comment-likes.json', body: likedComments };
      const settings = await sql`
        select likes, favorites, history from list_setting where account_id = ${accountId}`;
      yield { path: 'list-settings.json', body: settings };
    },
    async erase(tx, accountId, afterCommit) {
      const increments: Increment[] = [];
      for (const reaction of reactions) {
        const rows = await tx<{ id: string }>`
          delete from ${tableOf(tx, reaction)} where account_id = ${accountId} returning video_id as id`;
        increments.push(...rows.map(({ id }) => ({ id, metric: reaction, delta: -1 })));
      }
      const reposts = await tx<{ id: string }>`
        with gone as (
          delete from repost where account_id = ${accountId}
          returning id as key, account_id as author_id, video_id),
        withdrawn as (${outbox.withdrawing(tx, tx`gone`)})
        select video_id as id from gone`;
      increments.push(...reposts.map(({ id }) => ({ id, metric: 'reposts' as const, delta: -1 })));
      const liked = await tx<{ id: string }>`
        delete from comment_like where account_id = ${accountId} returning comment_id as id`;
      increments.push(...liked.map(({ id }) => ({ id, metric: 'commentLikes' as const, delta: -1 })));
      increments.push(...(await eraseComments(tx, counters, accountId)));
      await tx`delete from favorite_folder where account_id = ${accountId}`;
      await tx`delete from list_setting where account_id = ${accountId}`;
      if (increments.length === 0) return;
      const recorded = await counters.record(tx, increments);
      afterCommit(() => counters.committed(recorded));
    },
  };
}

/** The threads that it began go with it. */
async function eraseComments(tx: Sql, counters: Counters, accountId: string): Promise<Increment[]> {
  const rows = await tx<{ id: string; videoId: string; rootId: string | null }>`
    delete from comment where author_id = ${accountId}
      or root_id in (select id from comment where author_id = ${accountId} and root_id is null)
    returning id, video_id as "videoId", root_id as "rootId"`;
  if (rows.length === 0) return [];
  const gone = new Set(rows.map(({ id }) => id));
  await counters.forget(tx, [...gone]);
  return rows.flatMap(({ videoId, rootId }) => [
    { id: videoId, metric: 'comments' as const, delta: -1 },
    ...(rootId !== null && !gone.has(rootId) ? [{ id: rootId, metric: 'replies' as const, delta: -1 }] : []),
  ]);
}
