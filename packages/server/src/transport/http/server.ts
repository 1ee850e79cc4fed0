import { type AnyEndpoint, API_PREFIX } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { type MaybePromise, whenKnown } from '../../kernel/maybe-promise.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import { Occasionally } from '../../kernel/occasionally.ts';
import { Cors } from './cors.ts';
import { addressOf } from './credentials.ts';
import { type Dispatch, type DispatchAs, dispatcher, dispatcherAs } from './dispatch.ts';
import { apiPage, errorsPage } from './documents.ts';
import { RequestLimits } from './limits.ts';
import { openApiDocument } from './openapi.ts';
import { isPrivateAddress } from './private-addresses.ts';
import { problemResponse, refuse } from './problems.ts';
import type { Route, Viewer } from './route.ts';
import {
  defaultSocketLimits,
  type SocketEnd,
  type Sockets,
  type UpgradeRules,
  websocketOptions,
} from './sockets.ts';
import type { PageKind, StaticFiles } from './static-files.ts';
import type { Traces } from './traces.ts';

export interface HttpServerOptions {
  readonly hostname: string;
  readonly port: number;
  readonly version: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** An upload may send so many bytes in one request. */
  readonly maxBodyBytes: number;
  readonly publicOrigin: string | undefined;
  readonly trustedProxies: number;
  /** Other sites whose scripts may call the API; none when absent. */
  readonly allowedOrigins?: readonly string[] | undefined;
  readonly rateLimits: boolean;
}

export interface Application {
  /** Throws `token-invalid` or `suspended`; at once when the token is known. */
  readonly authenticate: (token: string) => MaybePromise<Viewer>;
  readonly routes: readonly Route[];
  /** Requests that come over sockets; the same when absent. */
  readonly socketRoutes?: readonly Route[];
  /** Answers what lies outside of the API by path: media. */
  readonly rawRoutes: Readonly<Record<string, (request: Request, address: string) => Promise<Response>>>;
  readonly staticFiles: StaticFiles | undefined;
  readonly traces: Traces;
  /** Pages of the app, by path, whose head depends on what they show. */
  readonly pages?: Readonly<Record<string, PageKind>>;
  /** Told of how requests are carried, so that what comes over sockets is carried so too. */
  readonly sockets?: ((dispatch: DispatchAs, limits: UpgradeRules) => Sockets) | undefined;
  /** What is not ready, by name; empty when traffic may come. */
  readonly notReady: () => Promise<readonly string[]>;
}

type Handler = (
  request: Bun.BunRequest,
  server: Bun.Server<SocketEnd>,
) => Promise<Response> | Response | undefined;
type Routes = Record<string, Handler | Partial<Record<string, Handler>>>;

/**
 * Listens at once, so that a taken port is found before anything else is started, and answers 503 until `open` gives
 * it the application. `drain` lets requests under way end and refuses new ones.
 */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #cors: Cors;
  readonly #server: Bun.Server<SocketEnd>;
  /** Answers by route and status. */
  readonly #answers = new Map<string, Map<number, number>>();
  readonly #duration;
  #application: Application | undefined;
  #draining = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#cors = new Cors(options.allowedOrigins ?? []);
    const { metrics } = options;
    metrics.counter('http_requests_total', 'Requests answered', ['route', 'status'], () => this.#counted());
    this.#duration = metrics.durations('http_request_seconds', 'Time to the answer’s head', 'route');
    metrics.gauge('http_requests_in_flight', 'Requests under way', () => this.#server.pendingRequests);
    this.#server = Bun.serve(this.#serveOptions({}));
  }

  get url(): string {
    const host = this.#options.hostname.includes(':')
      ? `[${this.#options.hostname}]`
      : this.#options.hostname;
    return `http://${host}:${this.#server.port}`;
  }

  open(application: Application): void {
    this.#application = application;
    this.#server.reload(this.#serveOptions(this.#routes(application)));
  }

  /** Refuses new requests, waits for those under way up to `deadlineMs`, then closes. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + deadlineMs;
    this.#server.reload(this.#serveOptions({}));
    while (this.#server.pendingRequests > 0 && clock.monotonicMs() < endMs) await clock.sleep(20);
    await this.#server.stop(true);
  }

  #serveOptions(routes: Routes) {
    return {
      hostname: this.#options.hostname,
      port: this.#options.port,
      idleTimeout: 60,
      maxRequestBodySize: this.#options.maxBodyBytes,
      development: false,
      routes: { ...this.#operations(), ...routes } as Record<string, Handler>,
      fetch: (request: Request) =>
        this.#preflight(request) ?? this.#cors.open(request, this.#elsewhere(request)),
      websocket: websocketOptions(defaultSocketLimits),
      error: (error: Error) => {
        this.#options.log.error({ err: error }, 'unexpected error');
        return problemResponse(new AppError('internal'));
      },
    };
  }

  /** What a supervisor asks: never limited, there from the first moment on. */
  #operations(): Routes {
    return {
      '/healthz': () => new Response('ok\n', { headers: { 'content-type': 'text/plain' } }),
      '/readyz': async () => {
        const notReady = this.#draining
          ? ['draining']
          : ((await this.#application?.notReady()) ?? ['starting']);
        return Response.json(
          { ready: notReady.length === 0, notReady },
          { status: notReady.length === 0 ? 200 : 503 },
        );
      },
      '/metrics': async (request, server) => {
        // What a community does is its operator's business. A monitor comes by itself, not through a proxy.
        const isOutside =
          request.headers.has('x-forwarded-for') ||
          !isPrivateAddress(server.requestIP(request)?.address ?? '');
        if (isOutside) return refuse('not-found');
        return new Response(await this.#options.metrics.text(), {
          headers: { 'content-type': 'text/plain; version=0.0.4' },
        });
      },
    };
  }

  #routes(application: Application): Routes {
    const routes: Record<string, Partial<Record<string, Handler>>> = {};
    const dispatchOptions = {
      authenticate: application.authenticate,
      limits: this.#options.rateLimits ? new RequestLimits(this.#options.clock) : undefined,
      publicOrigin: this.#options.publicOrigin,
      allowsOrigin: (origin: string) => this.#cors.allows(origin),
      trustedProxies: this.#options.trustedProxies,
      log: this.#options.log,
      failures: new Occasionally(this.#options.clock),
      traces: application.traces,
      observer: (endpoint: AnyEndpoint) => this.#observer(endpoint),
    };
    for (const route of application.routes) {
      const path = API_PREFIX + route.endpoint.path.replaceAll(/\{(\w+)\}/g, ':$1');
      routes[path] ??= {};
      routes[path][route.endpoint.method] = this.#handler(dispatcher(route, dispatchOptions));
    }
    const { trustedProxies } = this.#options;
    const rawRoutes = Object.entries(application.rawRoutes).map(([path, answer]): [string, Handler] => [
      path,
      (request, server) =>
        answer(request, addressOf(request, server.requestIP(request)?.address ?? '', trustedProxies)),
    ]);
    const pages = Object.entries(application.pages ?? {}).map(([path, kind]): [string, Handler] => [
      path,
      (request) => this.#page(application.staticFiles, kind, request),
    ]);
    const sockets = application.sockets?.(
      dispatcherAs(application.socketRoutes ?? application.routes, dispatchOptions),
      dispatchOptions,
    );
    return {
      ...routes,
      ...Object.fromEntries([...rawRoutes, ...pages]),
      ...(application.routes.length > 0 && this.#documents()),
      ...(sockets && { [sockets.path]: this.#upgrading(sockets) }),
    };
  }

  #upgrading(sockets: Sockets): Handler {
    return (request, server) => {
      const { trustedProxies } = this.#options;
      try {
        if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket')
          return refuse('invalid-request', 'Open a WebSocket here');
        const address = addressOf(request, server.requestIP(request)?.address ?? '', trustedProxies);
        const { end, protocol } = sockets.upgrade(request, address);
        const headers = protocol === undefined ? {} : { 'sec-websocket-protocol': protocol };
        if (server.upgrade(request, { data: end, headers })) return undefined;
        end.closed(1006);
        return refuse('invalid-request', 'Open a WebSocket here');
      } catch (error) {
        if (error instanceof AppError) return problemResponse(error);
        throw error;
      }
    };
  }

  #observer({ method, path }: AnyEndpoint): (status: number, seconds: number) => void {
    const route = `${method} ${path}`;
    const answers = new Map<number, number>();
    this.#answers.set(route, answers);
    const observe = this.#duration.of(route);
    return (status, seconds) => {
      answers.set(status, (answers.get(status) ?? 0) + 1);
      observe(seconds);
    };
  }

  *#counted() {
    for (const [route, answers] of this.#answers)
      for (const [status, count] of answers) yield [{ route, status: String(status) }, count] as const;
  }

  #documents(): Routes {
    const { version } = this.#options;
    const html = { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff' };
    const documents = {
      openapi: JSON.stringify(openApiDocument(version)),
      api: apiPage(version),
      errors: errorsPage(),
    };
    return {
      '/api/openapi.json': () =>
        new Response(documents.openapi, { headers: { 'content-type': 'application/json' } }),
      '/api/docs': () => new Response(documents.api, { headers: html }),
      '/api/docs/errors': () => new Response(documents.errors, { headers: html }),
    };
  }

  async #page(staticFiles: StaticFiles | undefined, kind: PageKind, request: Request): Promise<Response> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse('method-not-allowed');
    if (!staticFiles) return refuse('not-found');
    const extras = await kind.extras(request, new URL(request.url).pathname.split('/').at(-1));
    return staticFiles.page(request, kind, extras) ?? refuse('not-found');
  }

  /** Every path and method that no route takes. */
  #elsewhere(request: Request): Response {
    const { pathname } = new URL(request.url);
    if (this.#draining) return refuse('shutting-down');
    if (!this.#application) return refuse('shutting-down', 'The server is starting');
    if (pathname.startsWith('/api/') || pathname.startsWith('/media/')) {
      return refuse(this.#knowsPath(pathname) ? 'method-not-allowed' : 'not-found');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse('method-not-allowed');
    return this.#application.staticFiles?.respond(request, pathname) ?? refuse('not-found');
  }

  #knowsPath(pathname: string): boolean {
    const segments = pathname.split('/');
    return (this.#application?.routes ?? []).some(({ endpoint }) => {
      const pattern = (API_PREFIX + endpoint.path).split('/');
      return (
        pattern.length === segments.length &&
        pattern.every((part, index) => part.startsWith('{') || part === segments[index])
      );
    });
  }

  #preflight(request: Request): Response | undefined {
    return new URL(request.url).pathname.startsWith('/api/') ? this.#cors.preflight(request) : undefined;
  }

  #handler(dispatch: Dispatch): Handler {
    const cors = this.#cors;
    if (cors.isClosed) return dispatch;
    return (request, server) => {
      const preflight = cors.preflight(request);
      if (preflight) return preflight;
      return whenKnown(dispatch(request, server), (response) => cors.open(request, response));
    };
  }
}
