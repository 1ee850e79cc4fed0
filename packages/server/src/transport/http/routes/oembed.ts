import { Id, type VideoCard } from '@hvideo/protocol';
import type { Detail } from '../../../features/detail/index.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { Logger } from '../../../kernel/log.ts';
import { problemResponse } from '../problems.ts';

export interface SharedVideosDeps {
  readonly detail: Pick<Detail, 'page'>;
  readonly instanceName: () => Promise<string>;
  /** Absent: the address by which the request came. */
  readonly publicOrigin: string | undefined;
  readonly trustedProxies: number;
  readonly log: Logger;
}

/** Covers are at most so large at their longer edge. */
const coverMaxEdge = 1280;
const playerMaxEdge = 640;
/** Half of what the link of a cover is valid for at least. */
const cacheAgeSeconds = 3_600;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The video's shape, as large as fits into both limits. */
export function fitInto(shape: Size, maxWidth: number, maxHeight: number): Size {
  const scale = Math.min(maxWidth / shape.width, maxHeight / shape.height);
  const fitted = (edge: number, max: number) => Math.min(max, Math.max(1, Math.round(edge * scale)));
  return { width: fitted(shape.width, maxWidth), height: fitted(shape.height, maxHeight) };
}

/** Upright, as most clips are, where the shape is not known. */
export const shapeOf = ({ width, height }: Pick<VideoCard, 'width' | 'height'>): Size => ({
  width: width || 9,
  height: height || 16,
});

export function coverSize(card: VideoCard): Size {
  const shape = shapeOf(card);
  const edge = Math.min(coverMaxEdge, Math.max(shape.width, shape.height));
  return fitInto(shape, edge, edge);
}

export const playerSize = (card: VideoCard, maxWidth = playerMaxEdge, maxHeight = playerMaxEdge): Size =>
  fitInto(shapeOf(card), Math.min(maxWidth, playerMaxEdge), Math.min(maxHeight, playerMaxEdge));

/** The address under which people know this server. A proxy is believed only where one is expected. */
export function originOf(
  request: Request,
  { publicOrigin, trustedProxies }: Pick<SharedVideosDeps, 'publicOrigin' | 'trustedProxies'>,
): string {
  if (publicOrigin !== undefined) return publicOrigin;
  const { host, protocol } = new URL(request.url);
  const told = trustedProxies > 0 ? request.headers.get('x-forwarded-proto') : null;
  return `${told === 'https' || told === 'http' ? `${told}:` : protocol}//${host}`;
}

/** A video as nobody in particular sees it, if it is meant for everybody. Errors: `not-found`, `timeout`. */
export async function publicVideo(
  { detail }: Pick<SharedVideosDeps, 'detail'>,
  id: string | undefined,
  signal: AbortSignal,
): Promise<VideoCard> {
  if (!Id.safeParse(id).success || id === undefined) throw new AppError('not-found');
  const { video } = await detail.page(undefined, id, signal);
  // An unlisted one can be opened by those who have its link; it is not announced to anybody else.
  if (video.visibility !== 'public' || video.playlistUrl === null) throw new AppError('not-found');
  return video;
}

/** `GET /oembed?url=`: what another site needs to show a video, as oembed.com says. */
export function oembedRoutes(
  deps: SharedVideosDeps,
): Record<string, (request: Request) => Promise<Response>> {
  return {
    '/oembed': async (request) => {
      try {
        return await answer(deps, request);
      } catch (error) {
        const known = error instanceof AppError ? error : new AppError('internal', { cause: error });
        if (known.status === 500) deps.log.error({ err: known.cause ?? known }, 'oEmbed failed');
        const response = problemResponse(known);
        response.headers.set('access-control-allow-origin', '*');
        return response;
      }
    },
  };
}

async function answer(deps: SharedVideosDeps, request: Request): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new AppError('method-not-allowed');
  const query = new URL(request.url).searchParams;
  const format = query.get('format') ?? 'json';
  if (format !== 'json') throw new AppError('format-unsupported', { detail: 'format must be json' });
  const maxWidth = limitOf(query, 'maxwidth');
  const maxHeight = limitOf(query, 'maxheight');
  const origin = originOf(request, deps);
  const id = videoIdOf(query.get('url') ?? '', [origin, new URL(request.url).origin]);
  const card = await publicVideo(deps, id, request.signal);
  const body = oembedDocument(card, {
    ...{ origin, maxWidth, maxHeight },
    instanceName: await deps.instanceName(),
  });
  return new Response(JSON.stringify(body), {
    headers: {
      'content-type': 'application/json; charset=utf-8',
      // What is withdrawn is gone from the next request on.
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
    },
  });
}

function limitOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new AppError('invalid-request', { fields: { [name]: 'must be a number of pixels' } });
  return Number(text);
}

/** The id in the address of a video of this server. */
function videoIdOf(text: string, origins: readonly string[]): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isOurs = origins.some((origin) => new URL(origin).host === url.host);
  if (!isOurs || !/^https?:$/.test(url.protocol)) return undefined;
  return /^\/(?:v|embed)\/([^/]+)\/?$/.exec(url.pathname)?.[1];
}

interface OembedContext {
  readonly origin: string;
  readonly instanceName: string;
  readonly maxWidth?: number | undefined;
  readonly maxHeight?: number | undefined;
}

export function oembedDocument(card: VideoCard, context: OembedContext): Record<string, string | number> {
  const { origin, instanceName, maxWidth, maxHeight } = context;
  const size = playerSize(card, maxWidth, maxHeight);
  const cover = coverSize(card);
  return {
    version: '1.0',
    type: 'video',
    title: card.title,
    author_name: card.author.displayName,
    author_url: `${origin}/@${card.author.username}`,
    provider_name: instanceName,
    provider_url: `${origin}/`,
    cache_age: cacheAgeSeconds,
    ...(card.coverUrl !== null && {
      thumbnail_url: origin + card.coverUrl,
      thumbnail_width: cover.width,
      thumbnail_height: cover.height,
    }),
    html: frameOf(card, origin, size),
    ...size,
  };
}

/** The code that a page puts where the video shall be. */
function frameOf(card: VideoCard, origin: string, { width, height }: Size): string {
  const attributes = {
    src: `${origin}/embed/${card.id}`,
    width: String(width),
    height: String(height),
    title: card.title,
    style: 'border:0;border-radius:12px;max-width:100%',
    allow: 'autoplay; fullscreen; picture-in-picture',
    loading: 'lazy',
    referrerpolicy: 'strict-origin-when-cross-origin',
  };
  const text = Object.entries(attributes).map(([name, value]) => `${name}="${Bun.escapeHTML(value)}"`);
  return `<iframe ${text.join(' ')} allowfullscreen></iframe>`;
}
