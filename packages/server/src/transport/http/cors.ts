/** What a script of another site may send: JSON, a Bearer token, tus. */
const allowedHeaders = [
  ...['Authorization', 'Content-Type', 'Idempotency-Key', 'Accept-Language', 'traceparent', 'tracestate'],
  ...['Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Metadata', 'Upload-Checksum'],
  'X-HTTP-Method-Override',
].join(', ');
const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** What it may read of an answer beside the body. */
const exposedHeaders = [
  ...['Location', 'Retry-After', 'Tus-Resumable', 'Tus-Version', 'Tus-Extension', 'Tus-Max-Size'],
  ...['Upload-Offset', 'Upload-Length', 'Upload-Metadata', 'Upload-Expires'],
].join(', ');
/** The longest that browsers keep the answer to a preflight. */
const maxAgeSeconds = 7_200;

/**
 * Lets named sites call the API from a browser, for an app of one's own on another origin. They use Bearer tokens:
 * credentials are never allowed, so that a browser neither sends our cookies for them nor shows them an answer that
 * cookies have made.
 */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  /** `*` stands for every site. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** No other site may call. */
  get isClosed(): boolean {
    return this.#origins.size === 0;
  }

  allows(origin: string): boolean {
    return this.#origins.has('*') || this.#origins.has(origin);
  }

  /** The answer to a browser that asks before it sends the request itself; undefined for every other request. */
  preflight(request: Request): Response | undefined {
    if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method'))
      return undefined;
    const origin = request.headers.get('origin');
    if (origin === null || !this.allows(origin)) return undefined;
    const headers = {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': allowedMethods,
      'access-control-allow-headers': allowedHeaders,
      'access-control-max-age': String(maxAgeSeconds),
      vary: 'Origin',
    };
    return new Response(null, { status: 204, headers });
  }

  /** Says on the answer that the site may read it. */
  open(request: Request, response: Response): Response {
    if (this.isClosed) return response;
    response.headers.append('vary', 'Origin');
    const origin = request.headers.get('origin');
    if (origin === null || !this.allows(origin)) return response;
    response.headers.set('access-control-allow-origin', origin);
    response.headers.set('access-control-expose-headers', exposedHeaders);
    return response;
  }
}
