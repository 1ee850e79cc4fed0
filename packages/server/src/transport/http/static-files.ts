import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

interface StaticFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly brotli: Uint8Array<ArrayBuffer> | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a page says in its head besides what every page does. */
export interface PageExtras {
  readonly title: string;
  readonly description: string;
  /** HTML, escaped by whoever made it. */
  readonly head: string;
}

/** A page of the app whose head depends on its address. */
export interface PageKind {
  readonly file: '/index.html' | '/embed.html';
  /** Whether other sites may show it in a frame. */
  readonly isFrameable: boolean;
  /** `parameter`: the last part of the path. Nothing: the page as it is. */
  readonly extras: (request: Request, parameter: string | undefined) => Promise<PageExtras | undefined>;
}

const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

/** For a page that holds nothing to be tricked into: no account, no button that changes anything. */
const frameable = {
  'content-security-policy': contentSecurityPolicy.replace("frame-ancestors 'self'", 'frame-ancestors *'),
};

const compressible = /\.(html|js|css|svg|json|webmanifest|txt)$/;

/**
 * The web app, read into memory at the start: it is small, and every answer is then one buffer. Files under `/assets`
 * carry their content's hash in their names and never change.
 */
export class StaticFiles {
  readonly #files = new Map<string, StaticFile>();

  constructor(folder: string) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.startsWith('.')) continue;
      const path = join(entry.parentPath, entry.name);
      this.#files.set(`/${relative(folder, path)}`, readStaticFile(path, relative(folder, path)));
    }
  }

  /** The file at the path; the app's page for any other path that looks like a page; else nothing. */
  respond(request: Request, pathname: string): Response | undefined {
    const isPage = !/\.[a-z0-9]+$/i.test(pathname) || pathname.startsWith('/@');
    const file = this.#files.get(pathname) ?? (isPage ? this.#files.get('/index.html') : undefined);
    return file && answer(request, file);
  }

  /** A page of the app with what `extras` add to its head. */
  page(request: Request, { file: name, isFrameable }: PageKind, extras: PageExtras | undefined) {
    const file = this.#files.get(name);
    if (!file) return undefined;
    const headers = isFrameable ? { ...file.headers, ...frameable } : file.headers;
    if (!extras) return answer(request, { ...file, headers });
    const body = new TextEncoder().encode(withExtras(new TextDecoder().decode(file.body), extras));
    return answer(request, { body, brotli: undefined, headers: { ...headers, etag: etagOf(body) } });
  }
}

/** Functions replace, so that a `$` in a title stays what it is. */
function withExtras(html: string, { title, description, head }: PageExtras): string {
  return html
    .replace(/<title>[^<]*<\/title>/, () => `<title>${Bun.escapeHTML(title)}</title>`)
    .replace(
      /<meta name="description" content="[^"]*" ?\/?>/,
      () => `<meta name="description" content="${Bun.escapeHTML(description)}" />`,
    )
    .replace('</head>', () => `${head}\n</head>`);
}

const etagOf = (body: Uint8Array): string => `"${Bun.hash(body).toString(36)}"`;

function answer(request: Request, file: StaticFile): Response {
  if (request.headers.get('if-none-match') === file.headers['etag']) {
    return new Response(null, { status: 304, headers: file.headers });
  }
  const takesBrotli = file.brotli && /\bbr\b/.test(request.headers.get('accept-encoding') ?? '');
  return takesBrotli
    ? new Response(file.brotli, { headers: { ...file.headers, 'content-encoding': 'br' } })
    : new Response(file.body, { headers: file.headers });
}

function readStaticFile(path: string, name: string): StaticFile {
  const body = new Uint8Array(readFileSync(path));
  const immutable = name.startsWith('assets/');
  const isPage = name.endsWith('.html');
  return {
    body,
    brotli: compressible.test(name)
      ? new Uint8Array(brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }))
      : undefined,
    headers: {
      'content-type': name.endsWith('.webmanifest') ? 'application/manifest+json' : Bun.file(path).type,
      'cache-control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag: etagOf(body),
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      ...(isPage && {
        'content-security-policy': contentSecurityPolicy,
        'permissions-policy': 'camera=(), microphone=(), geolocation=()',
        'cross-origin-opener-policy': 'same-origin',
      }),
    },
  };
}
