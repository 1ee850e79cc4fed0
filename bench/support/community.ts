import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnVideo, VideoDetail } from '@hvideo/protocol';
import { SQL } from 'bun';
import { runningServerUrl } from '../../packages/server/src/adapters/postgres/running-server.ts';
import { ApiUser, eventually } from '../../packages/server/test/support/api.ts';
import { startServer } from '../../packages/server/test/support/server.ts';
import { benchFolder } from './folder.ts';

export type Community = Awaited<ReturnType<typeof openCommunity>>;

/** A server as people run it, a process of its own on an empty data folder, with one author and one reader. */
export async function openCommunity(env: Readonly<Record<string, string>> = {}) {
  await using opening = new AsyncDisposableStack();
  const folder = opening.use(await benchFolder());
  const dataDir = join(folder.path, 'data');
  const server = opening.use(await startServer(dataDir, { env: { HVIDEO_LIMITS: 'false', ...env } }));
  const author = await new ApiUser(server.url).join('author', '/instance/setup');
  const reader = await new ApiUser(server.url).join('reader');
  const followed = await reader.call('PUT', '/users/@author/follow');
  if (followed.status !== 204) throw new Error(`following failed: ${followed.status}`);
  const sql = opening.use(new SQL(await runningServerUrl(dataDir), { max: 1 }));
  const opened = opening.move();
  return {
    ...{ folder: folder.path, dataDir, url: server.url, author, reader },
    pid: JSON.parse(await readFile(join(dataDir, 'lock.json'), 'utf8')).pid as number,
    /** The server's own database, for making many rows at once and for counting statements. */
    sql,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Uploads the file and publishes it; answers at once, with the moment at which the last byte had been taken. */
export async function publish(author: ApiUser, path: string): Promise<{ id: string; arrivedAtMs: number }> {
  const bytes = new Uint8Array(await readFile(path));
  const uploadId = await author.beginUpload(bytes.length);
  const { status, body } = await author.append(uploadId, bytes);
  if (status !== 204) throw new Error(`the upload was refused: ${JSON.stringify(body)}`);
  const arrivedAtMs = performance.now();
  const made = await author.call<OwnVideo>('POST', '/videos', { body: { uploadId, title: 'A clip' } });
  if (made.status !== 202) throw new Error(`publishing failed: ${JSON.stringify(made.body)}`);
  return { id: made.body.id, arrivedAtMs };
}

export async function detailOf(user: ApiUser, id: string): Promise<VideoDetail> {
  const { status, body } = await user.call<VideoDetail>('GET', `/videos/${id}`);
  if (status !== 200) throw new Error(`GET /videos/${id} answered ${status}`);
  return body;
}

export async function untilStatus(
  author: ApiUser,
  id: string,
  statuses: readonly string[],
  deadlineMs: number,
): Promise<number> {
  const detail = await eventually(
    () => detailOf(author, id),
    ({ video }) => video.status === 'failed' || statuses.includes(video.status),
    deadlineMs,
  );
  if (detail.video.status === 'failed') throw new Error('the clip cannot be transcoded');
  return performance.now();
}
