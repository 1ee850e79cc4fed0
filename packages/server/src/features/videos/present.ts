import type { OwnVideo, Relation, Sprite, User, VideoCard, VideoCounts, ViewerState } from '@hvideo/protocol';
import { type ErrorCode, errorRegistry } from '../../kernel/errors.ts';
import { idTimeMs } from '../../kernel/ids.ts';
import { type Audience, type MediaLinks, publicAudience } from '../media/index.ts';
import type { StoredSprite, VideoRow } from './store.ts';

export interface Presenter {
  card(row: VideoRow, about: CardSubject, as: CardContext): VideoCard;
  own(row: VideoRow, about: CardSubject): OwnVideo;
  /** Without a viewer: for those who see only what everybody may. */
  coverUrl(row: VideoRow, viewerId?: string): string | null;
}

/** What a card shows besides the row. */
export interface CardSubject {
  readonly author: User;
  readonly relation?: Relation | undefined;
  readonly counts: VideoCounts | undefined;
  readonly state: Pick<ViewerState, 'liked' | 'favorited' | 'reposted'> | undefined;
}

export interface CardContext {
  readonly viewerId: string | undefined;
  readonly reason: VideoCard['reason']['kind'];
}

const noCounts: VideoCounts = {
  likes: 0,
  favorites: 0,
  comments: 0,
  shares: 0,
  reposts: 0,
  views: 0,
  viewers: 0,
};
const noState = { liked: false, favorited: false, reposted: false };

/** Turns rows into what clients see. Makes one signature for each card. */
export function createPresenter(links: MediaLinks, nowMs: () => number): Presenter {
  const card: Presenter['card'] = (row, { author, relation, counts, state }, { viewerId, reason }) => {
    const base = linkBase(links, row, viewerId, nowMs());
    return {
      id: row.id,
      title: row.title,
      description: row.description,
      tags: row.tags,
      author,
      coverUrl: base && row.coverFile ? `${base}/${row.coverFile}` : null,
      playlistUrl: base && row.renditions.length > 0 ? `${base}/master.m3u8` : null,
      sprite: base && row.sprite ? spriteOf(row.sprite, base) : null,
      durationMs: row.durationMs,
      width: row.width,
      height: row.height,
      status: row.status,
      visibility: row.visibility,
      publishedAt: row.feedKey === null ? null : new Date(idTimeMs(row.feedKey)).toISOString(),
      counts: counts ?? noCounts,
      viewer: {
        ...(state ?? noState),
        own: viewerId === row.authorId,
        following: relation?.following ?? false,
      },
      reason: { kind: reason },
    };
  };
  const own: Presenter['own'] = (row, about) => {
    const base = linkBase(links, row, row.authorId, nowMs());
    return {
      ...card(row, about, { viewerId: row.authorId, reason: 'author' }),
      publishAt: row.publishAt?.toISOString() ?? null,
      createdAt: row.createdAt.toISOString(),
      coverSuggestions: base
        ? row.coverSuggestions.map(({ file, timeMs }) => ({ url: `${base}/${file}`, timeMs }))
        : [],
      failure: failureOf(row.failureCode),
      takenDown: row.takedownReason === null ? null : { reason: row.takedownReason },
    };
  };
  const coverUrl: Presenter['coverUrl'] = (row, viewerId) => {
    const base = linkBase(links, row, viewerId, nowMs());
    return base && row.coverFile ? `${base}/${row.coverFile}` : null;
  };
  return { card, own, coverUrl };
}

function spriteOf({ attempt, ...layout }: StoredSprite, base: string): Sprite {
  return { ...layout, url: `${base}/${attempt}/sprite.jpg` };
}

export function failureOf(code: string | null): { code: string; title: string } | null {
  if (code === null) return null;
  const title = code in errorRegistry ? errorRegistry[code as ErrorCode].title : errorRegistry.internal.title;
  return { code, title };
}

/** Undefined when nobody may fetch anything. What everybody may see gets one link for all, so that caches can share it. */
function linkBase(
  links: MediaLinks,
  row: VideoRow,
  viewerId: string | undefined,
  nowMs: number,
): string | undefined {
  if (row.takedownReason !== null) return undefined;
  const audience: Audience | undefined = isOpen(row, nowMs) ? publicAudience : viewerId;
  return audience === undefined ? undefined : links.base(row.id, audience);
}

function isOpen(row: VideoRow, nowMs: number): boolean {
  if (row.status !== 'playable' && row.status !== 'ready') return false;
  if (row.visibility === 'public') return row.feedKey !== null;
  return row.visibility === 'unlisted' && (row.publishAt === null || row.publishAt.getTime() <= nowMs);
}
