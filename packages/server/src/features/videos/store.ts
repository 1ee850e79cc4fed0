import type { VideoStatus, VideoVisibility } from '@hvideo/protocol';
import type { Sql, SqlQuery } from '../../ports/database/port.ts';
import type { Rendition, SpriteLayout } from '../../ports/transcoder/port.ts';

/** A rendition and the run that made it: its files are below `videos/{id}/{attempt}/{name}/`. */
export type StoredRendition = Rendition & { readonly attempt: number };
export type StoredSprite = SpriteLayout & { readonly attempt: number };

export interface VideoRow {
  readonly id: string;
  readonly authorId: string;
  readonly uploadId: string | null;
  readonly title: string;
  readonly description: string;
  readonly tags: string[];
  readonly visibility: VideoVisibility;
  readonly status: VideoStatus;
  readonly failureCode: string | null;
  readonly takedownReason: string | null;
  readonly publishAt: Date | null;
  readonly feedKey: string | null;
  readonly attempt: number;
  readonly coverTimeMs: number | null;
  readonly coverVersion: number;
  readonly coverFile: string | null;
  readonly coverSuggestions: { file: string; timeMs: number }[];
  readonly durationMs: number;
  readonly width: number;
  readonly height: number;
  readonly renditions: StoredRendition[];
  readonly sprite: StoredSprite | null;
  readonly createdAt: Date;
}

/** All of `video v` that a `VideoRow` has. */
export function videoColumns(sql: Sql): SqlQuery<unknown[]> {
  return sql`v.id, v.author_id as "authorId", v.upload_id as "uploadId", v.title, v.description, v.tags,
    v.visibility, v.status, v.failure_code as "failureCode", v.takedown_reason as "takedownReason",
    v.publish_at as "publishAt", v.feed_key as "feedKey", v.attempt, v.cover_time_ms as "coverTimeMs",
    v.cover_version as "coverVersion", v.cover_file as "coverFile", v.cover_suggestions as "coverSuggestions",
    v.duration_ms as "durationMs", v.width, v.height, v.renditions, v.sprite, v.created_at as "createdAt"`;
}

export async function findVideo(sql: Sql, id: string): Promise<VideoRow | undefined> {
  const [row] = await sql<VideoRow>`select ${videoColumns(sql)} from video v where v.id = ${id}`;
  return row;
}

/** Locks the row until the transaction ends. */
export async function lockVideo(tx: Sql, id: string): Promise<VideoRow | undefined> {
  const [row] = await tx<VideoRow>`select ${videoColumns(tx)} from video v where v.id = ${id} for update`;
  return row;
}

/** Keys of the media store. */
export const videoPrefix = (id: string) => `videos/${id}`;
export const attemptPrefix = (id: string, attempt: number) => `videos/${id}/${attempt}`;

/** A jsonb parameter, whatever the value: the driver takes a bare list for a PostgreSQL array. */
export function json(sql: Sql, value: unknown): SqlQuery<unknown[]> {
  return sql`${JSON.stringify(value)}::text::jsonb`;
}
