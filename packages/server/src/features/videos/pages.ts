import type { User } from '@hvideo/protocol';
import { type Cache, type CachedReader, dependency, type Existence } from '../../cache/index.ts';
import type { Database } from '../../ports/database/port.ts';
import { toUser, type UserColumns } from '../accounts/index.ts';
import { type VideoRow, videoColumns } from './store.ts';

/** A video and who made it, as nobody in particular sees them. */
export interface VideoPage {
  readonly row: VideoRow;
  readonly author: User;
  readonly suspension: { readonly untilMs: number | null } | null;
}

export interface VideoPagesDeps {
  readonly db: Database;
  readonly cache: Cache;
  /** Which videos surely do not exist. */
  readonly exists?: Existence | undefined;
}

export type VideoPages = CachedReader<VideoPage>;

export type PageRow = VideoRow &
  Omit<UserColumns, 'id'> & { readonly suspendedAt: Date | null; readonly suspendedUntil: Date | null };

const video = dependency('video', 'id');
const account = dependency('account', 'id');
const minuteMs = 60_000;

/** Videos with their authors, through the cache: what pages and cards are made of. */
export function defineVideoPages({ db: { sql }, cache, exists }: VideoPagesDeps): VideoPages {
  return cache.define<VideoPage>({
    name: 'video-page',
    // Every page of cards needs many of them.
    isResident: true,
    freshMs: 5 * minuteMs,
    staleMs: 24 * 60 * minuteMs,
    dependencies: [video, account],
    owner: (id) => video(id),
    contains: ({ author }) => [account(author.id)],
    ...(exists && { exists }),
    async load(ids, signal) {
      const rows = await sql<PageRow>`
        select ${videoColumns(sql)}, a.username, a.display_name, a.avatar_key,
          a.suspended_at as "suspendedAt", a.suspended_until as "suspendedUntil"
        from video v join account a on a.id = v.author_id
        where v.id = any(${sql.array(ids, 'int8')})`.withSignal(signal);
      return new Map(rows.map((row) => [row.id, toVideoPage(row)]));
    },
    decode: (bytes) => reviveVideoPage(JSON.parse(new TextDecoder().decode(bytes)) as VideoPage),
  });
}

export function toVideoPage(found: PageRow): VideoPage {
  const { username, display_name, avatar_key, suspendedAt, suspendedUntil, ...row } = found;
  return {
    row,
    author: toUser({ id: row.authorId, username, display_name, avatar_key }),
    suspension: suspendedAt ? { untilMs: suspendedUntil?.getTime() ?? null } : null,
  };
}

/** JSON knows no dates. */
export function reviveVideoPage(page: VideoPage): VideoPage {
  const { row } = page;
  const publishAt = row.publishAt === null ? null : new Date(row.publishAt);
  return { ...page, row: { ...row, publishAt, createdAt: new Date(row.createdAt) } };
}
