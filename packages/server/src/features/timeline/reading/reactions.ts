import { type Cache, type CachedReader, dependency } from '../../../cache/index.ts';
import type { Database } from '../../../ports/database/port.ts';

/** What one person liked, keeps and reposted. */
export interface OwnReactions {
  readonly liked: ReadonlySet<string>;
  readonly favorited: ReadonlySet<string>;
  readonly reposted: ReadonlySet<string>;
  /** False: there is more than this, so that absence says nothing. */
  readonly isComplete: boolean;
}

interface Stored {
  readonly liked: readonly string[];
  readonly favorited: readonly string[];
  readonly reposted: readonly string[];
}

const minuteMs = 60_000;
/** Of each kind; whoever has more pays a statement for a page. */
const maxKept = 2_000;

const likesOf = dependency('video_like', 'account_id');
const favoritesOf = dependency('favorite', 'account_id');
const repostsBy = dependency('repost', 'account_id');

/** The reactions of each reader, kept in this process: one look-up for a page of cards. */
export function defineOwnReactions({
  db,
  cache,
}: {
  db: Database;
  cache: Cache;
}): CachedReader<OwnReactions> {
  const { sql } = db;
  return cache.define<OwnReactions>({
    name: 'own-reactions',
    isResident: true,
    freshMs: 10 * minuteMs,
    staleMs: 24 * 60 * minuteMs,
    maxBatch: 20,
    dependencies: [likesOf, favoritesOf, repostsBy],
    owner: (id) => likesOf(id),
    contains: (_value, id) => [favoritesOf(id), repostsBy(id)],
    async load(ids, signal) {
      const rows = await sql<Stored & { id: string }>`
        select each.id,
          array(select video_id::text from video_like where account_id = each.id order by id desc limit ${maxKept + 1}) as liked,
          array(select video_id::text from favorite where account_id = each.id order by id desc limit ${maxKept + 1}) as favorited,
          array(select video_id::text from repost where account_id = each.id order by id desc limit ${maxKept + 1}) as reposted
        from unnest(${sql.array(ids, 'int8')}) as each (id)`.withSignal(signal);
      return new Map(rows.map(({ id, ...stored }) => [id, fromStored(stored)]));
    },
    encode: ({ liked, favorited, reposted }) =>
      new TextEncoder().encode(
        JSON.stringify({ liked: [...liked], favorited: [...favorited], reposted: [...reposted] }),
      ),
    decode: (bytes) => fromStored(JSON.parse(new TextDecoder().decode(bytes)) as Stored),
    weigh: ({ liked, favorited, reposted }) => 300 + 100 * (liked.size + favorited.size + reposted.size),
  });
}

function fromStored({ liked, favorited, reposted }: Stored): OwnReactions {
  return {
    liked: new Set(liked),
    favorited: new Set(favorited),
    reposted: new Set(reposted),
    isComplete: [liked, favorited, reposted].every(({ length }) => length <= maxKept),
  };
}
