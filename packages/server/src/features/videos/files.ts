import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Database } from '../../ports/database/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';
import { masterPlaylist } from '../../ports/transcoder/playlist.ts';
import { type MediaLinks, publicAudience } from '../media/index.ts';
import { type StoredRendition, videoPrefix } from './store.ts';
import { visibleTo } from './visibility.ts';

/** A file of a video that the link's audience may have at this moment. */
export interface VideoFile {
  readonly contentType: string;
  /** `public`: a shared cache may keep it. */
  readonly cache: 'public' | 'private';
  readonly maxAgeSeconds: number;
  readonly content: { readonly text: string } | { readonly key: string };
}

export interface VideoFilesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly store: MediaStore;
  readonly links: MediaLinks;
}

const filePattern =
  /^(?:master\.m3u8|covers\/\d{1,9}\.jpg|\d{1,9}\/(?:cover(?:-\d)?\.jpg|sprite\.jpg|[a-z0-9]{1,16}\/[a-z0-9_-]{1,32}\.(?:m3u8|mp4|m4s)))$/;

const contentTypes: Readonly<Record<string, string>> = {
  m3u8: 'application/vnd.apple.mpegurl',
  mp4: 'video/mp4',
  m4s: 'video/iso.segment',
  jpg: 'image/jpeg',
};

/** What is public may live so long in caches that nobody can reach. */
const maxAgeSeconds = 600;
/** While renditions are still being added. */
const growingMaxAgeSeconds = 2;

export class VideoFiles {
  readonly #deps: VideoFilesDeps;

  constructor(deps: VideoFilesDeps) {
    this.#deps = deps;
  }

  /**
   * Asks the row on every request (one indexed statement), so that what was deleted, withdrawn or closed to this viewer
   * is gone with the next one. Throws `not-found` and `link-expired`.
   */
  async find(token: string, videoId: string, path: string): Promise<VideoFile> {
    const { db, clock, links } = this.#deps;
    const { audience, expiresAtMs } = links.verify(token, videoId);
    if (!filePattern.test(path)) throw new AppError('not-found');
    const nowMs = clock.nowMs();
    const viewerId = audience === publicAudience ? undefined : audience;
    const [row] = await db.sql<{ visibility: string; status: string; renditions: StoredRendition[] }>`
      select v.visibility, v.status, v.renditions from video v
      where v.id = ${videoId} and ${visibleTo(db.sql, viewerId, new Date(nowMs))}`;
    if (!row) throw new AppError('not-found');
    const isPublic = audience === publicAudience && row.visibility === 'public';
    const remaining = Math.floor((expiresAtMs - nowMs) / 1000);
    const file = {
      contentType: contentTypes[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
      cache: isPublic ? ('public' as const) : ('private' as const),
      maxAgeSeconds: Math.min(maxAgeSeconds, remaining),
    };
    if (path !== 'master.m3u8') return { ...file, content: { key: `${videoPrefix(videoId)}/${path}` } };
    if (row.renditions.length === 0) throw new AppError('not-found');
    return {
      ...file,
      maxAgeSeconds: row.status === 'ready' ? file.maxAgeSeconds : growingMaxAgeSeconds,
      content: { text: playlistOf(row.renditions) },
    };
  }
}

/** Made from the row, so that it grows while renditions are being added. */
function playlistOf(renditions: readonly StoredRendition[]): string {
  return masterPlaylist(
    renditions.map((rendition) => ({ ...rendition, name: `${rendition.attempt}/${rendition.name}` })),
  );
}
