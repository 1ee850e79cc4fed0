import { createHash } from 'node:crypto';
import type { VideoFile, VideoFiles } from '../../../features/videos/index.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { MediaStore } from '../../../ports/media-store/port.ts';
import { problemResponse } from '../problems.ts';
import { noneMatch, rangeCounts, rangeOf } from './ranges.ts';

export interface MediaRoutesDeps {
  readonly files: VideoFiles;
  readonly store: MediaStore;
  readonly log: Logger;
  /** Called with the address of whoever was sent a segment of the video. */
  readonly onSegment: (videoId: string, address: string) => void;
}

type Served = Pick<VideoFile, 'contentType' | 'cache' | 'maxAgeSeconds'> & { readonly immutable?: boolean };

/**
 * Files by signed path: `/media/v/{token}/{videoId}/...`, and avatars. Outside of the API, because players follow
 * playlists without headers, and so that a proxy can cache the folder.
 */
export function mediaRoutes(
  deps: MediaRoutesDeps,
): Record<string, (request: Request, address: string) => Promise<Response>> {
  return {
    '/media/*': async (request, address) => {
      try {
        return await answer(deps, request, address);
      } catch (error) {
        const known = error instanceof AppError ? error : new AppError('internal', { cause: error });
        if (known.status >= 500)
          deps.log.error({ err: known.cause ?? known, code: known.code }, 'media failed');
        return problemResponse(known);
      }
    },
  };
}

async function answer(
  { files, store, onSegment }: MediaRoutesDeps,
  request: Request,
  address: string,
): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new AppError('method-not-allowed');
  const { pathname } = new URL(request.url);
  const [, , folder, owner = '', name = '', ...rest] = pathname.split('/');
  if (folder === 'v') {
    const file = await files.find(owner, name, rest.join('/'));
    if ('text' in file.content) return answerText(request, file, file.content.text);
    if (request.method === 'GET' && rest.at(-1)?.endsWith('.m4s')) onSegment(name, address);
    return answerObject(request, store, file.content.key, file);
  }
  const isAvatar = /^[1-9]\d{0,18}\/[a-z0-9_-]{1,64}\.(jpg|png|webp)$/.test(`${owner}/${name}`);
  if (folder !== 'avatars' || !isAvatar || rest.length > 0) throw new AppError('not-found');
  return answerObject(request, store, `avatars/${owner}/${name}`, avatar);
}

/** A new picture has a new name. */
const avatar: Served = {
  contentType: 'image/jpeg',
  cache: 'public',
  maxAgeSeconds: 31_536_000,
  immutable: true,
};

async function answerObject(
  request: Request,
  store: MediaStore,
  key: string,
  file: Served,
): Promise<Response> {
  const object = await store.stat(key, { signal: request.signal });
  if (!object) throw new AppError('not-found');
  const { size, etag } = object;
  const headers = headersOf(file, etag);
  headers.set('accept-ranges', 'bytes');
  if (!noneMatch(request.headers.get('if-none-match'), etag))
    return new Response(null, { status: 304, headers });
  if (request.method === 'HEAD') {
    headers.set('content-length', String(size));
    return new Response(null, { headers });
  }
  const header = request.headers.get('range');
  const counts = rangeCounts(request.headers.get('if-range'), etag);
  const range = rangeOf(counts ? header : null, size);
  if (range.kind === 'unsatisfiable') return unsatisfiable(headers, size);
  if (range.kind === 'part') {
    headers.set('content-range', `bytes ${range.start}-${range.end - 1}/${size}`);
    return new Response(await store.get(key, range), { status: 206, headers });
  }
  const whole = await store.get(key);
  if (header === null) return new Response(whole, { headers });
  // Bun applies the header to a file, or to its plain stream, by itself, also where it does not count.
  headers.set('content-length', String(size));
  return new Response(whole.stream().pipeThrough(new TransformStream()), { headers });
}

function unsatisfiable(headers: Headers, size: number): Response {
  const response = problemResponse(new AppError('range-not-satisfiable'));
  for (const [name, value] of headers) if (!response.headers.has(name)) response.headers.set(name, value);
  response.headers.set('content-range', `bytes */${size}`);
  return response;
}

function answerText(request: Request, file: Served, text: string): Response {
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  const headers = headersOf(file, etag);
  if (!noneMatch(request.headers.get('if-none-match'), etag))
    return new Response(null, { status: 304, headers });
  if (request.method === 'GET') return new Response(text, { headers });
  headers.set('content-length', String(Buffer.byteLength(text)));
  return new Response(null, { headers });
}

/**
 * The bytes were made from somebody's file: whatever is in them, a browser must take them for what we say and run
 * nothing. Other sites may use the links: whoever has one has been given it.
 */
function headersOf(file: Served, etag: string): Headers {
  return new Headers({
    'content-type': file.contentType,
    'cache-control': `${file.cache}, max-age=${file.maxAgeSeconds}${file.immutable ? ', immutable' : ''}`,
    etag,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'cross-origin',
    'access-control-allow-origin': '*',
  });
}
