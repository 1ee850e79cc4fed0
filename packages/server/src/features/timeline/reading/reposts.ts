import type { User } from '@hvideo/protocol';
import { type Cache, type CachedReader, dependency } from '../../../cache/index.ts';
import type { Database } from '../../../ports/database/port.ts';
import { toUser, type UserColumns } from '../../accounts/index.ts';

/** Who reposted a video, and what they said to it. */
export interface Repost {
  readonly id: string;
  readonly videoId: string;
  readonly by: User;
  readonly comment: string | null;
  readonly suspension: { readonly untilMs: number | null } | null;
}

/** The entries of one video among those of everybody whom a reader follows, whether they are muted or not. */
export interface Appearances {
  readonly reposts: readonly { readonly id: string; readonly accountId: string }[];
}

const minuteMs = 60_000;
const repost = dependency('repost', 'id');
const repostsOf = dependency('repost', 'video_id');
const account = dependency('account', 'id');
const followsOf = dependency('follow', 'follower_id');

export type RepostCaches = ReturnType<typeof defineRepostCaches>;

export const appearanceId = (readerId: string, videoId: string) => `${readerId}:${videoId}`;

export function defineRepostCaches({ db, cache }: { db: Database; cache: Cache }) {
  const { sql } = db;
  const reposts: CachedReader<Repost> = cache.define<Repost>({
    name: 'repost',
    isResident: true,
    freshMs: minuteMs,
    staleMs: 60 * minuteMs,
    dependencies: [repost, account],
    owner: (id) => repost(id),
    contains: ({ by }) => [account(by.id)],
    async load(ids, signal) {
      const rows = await sql<RepostRow>`
        select r.id as "repostId", r.video_id as "videoId", r.comment, a.id, a.username, a.display_name, a.avatar_key,
          a.suspended_at as "suspendedAt", a.suspended_until as "suspendedUntil"
        from repost r join account a on a.id = r.account_id
        where r.id = any(${sql.array(ids, 'int8')})`.withSignal(signal);
      return new Map(rows.map((row) => [row.repostId, toRepost(row)]));
    },
  });
  const appearances: CachedReader<Appearances> = cache.define<Appearances>({
    name: 'repost-appearances',
    isResident: true,
    freshMs: minuteMs,
    staleMs: 0,
    maxBatch: 50,
    dependencies: [repostsOf, followsOf],
    owner: (id) => repostsOf(videoOf(id)),
    contains: (_value, id) => [followsOf(readerOf(id))],
    async load(ids, signal) {
      const rows = await sql<{ reader: string; video: string; reposts: Appearances['reposts'] }>`
        select each.reader, each.video, coalesce((
          select jsonb_agg(jsonb_build_object('id', r.id::text, 'accountId', r.account_id::text))
          from repost r join follow f on f.followee_id = r.account_id and f.follower_id = each.reader
          where r.video_id = each.video), '[]') as reposts
        from unnest(${sql.array(ids.map(readerOf), 'int8')}, ${sql.array(ids.map(videoOf), 'int8')})
          as each (reader, video)`.withSignal(signal);
      return new Map(rows.map(({ reader, video, reposts }) => [appearanceId(reader, video), { reposts }]));
    },
  });
  return { reposts, appearances };
}

const readerOf = (id: string) => id.slice(0, id.indexOf(':'));
const videoOf = (id: string) => id.slice(id.indexOf(':') + 1);

type RepostRow = UserColumns & {
  readonly repostId: string;
  readonly videoId: string;
  readonly comment: string | null;
  readonly suspendedAt: Date | null;
  readonly suspendedUntil: Date | null;
};

function toRepost({ repostId, videoId, comment, suspendedAt, suspendedUntil, ...user }: RepostRow): Repost {
  return {
    ...{ id: repostId, videoId, comment },
    by: toUser(user),
    suspension: suspendedAt ? { untilMs: suspendedUntil?.getTime() ?? null } : null,
  };
}
