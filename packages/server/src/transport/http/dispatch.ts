import type { Access, AnyEndpoint } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Occasionally } from '../../kernel/occasionally.ts';
import { tracedRequest } from '../../kernel/trace.ts';
import { addressOf, credentialsOf, refuseCrossOrigin } from './credentials.ts';
import { decode, idempotencyOf } from './decode.ts';
import type { RequestLimits } from './limits.ts';
import { problemResponse } from './problems.ts';
import type { Reply, RequestInfo, Route, Viewer } from './route.ts';
import { type TracedRead, type Traces, traceIdOf } from './traces.ts';

export interface DispatchOptions {
  /** Throws `token-invalid` or `suspended`. */
  readonly authenticate: (token: string) => Promise<Viewer>;
  readonly limits: RequestLimits | undefined;
  readonly publicOrigin: string | undefined;
  /** Whether another site may call, as the settings say. */
  readonly allowsOrigin: (origin: string) => boolean;
  readonly trustedProxies: number;
  readonly log: Logger;
  readonly failures: Occasionally;
  readonly traces: Traces;
  readonly observer: (endpoint: AnyEndpoint) => (status: number, seconds: number) => void;
}

export type Dispatch = (
  request: Request,
  pathParams: Record<string, string>,
  /** Asked only when it matters. */
  socketAddress: () => string,
) => Promise<Response>;

/** Makes the function that carries a request from the socket to its handler and the answer back. */
export function dispatcher(route: Route, options: DispatchOptions): Dispatch {
  const { endpoint } = route;
  const name = `${endpoint.method} ${endpoint.path}`;
  const observe = options.observer(endpoint);
  return (request, pathParams, socketAddress) =>
    tracedRequest(name, request.headers, async (span) => {
      const startedMs = performance.now();
      const response = await answer(route, options, request, pathParams, socketAddress).catch(
        (error: unknown) => failure(error, name, options, span.spanContext().traceId),
      );
      span.setAttribute('http.response.status_code', response.status);
      observe(response.status, (performance.now() - startedMs) / 1000);
      return response;
    });
}

async function answer(
  route: Route,
  options: DispatchOptions,
  request: Request,
  pathParams: Record<string, string>,
  socketAddress: () => string,
): Promise<Response> {
  const { endpoint } = route;
  const address = () => addressOf(request, socketAddress(), options.trustedProxies);
  refuseCrossOrigin(request, options.publicOrigin, options.allowsOrigin);
  const viewer = await viewerOf(endpoint.access, request, options);
  options.limits?.take(endpoint.limit, { accountId: viewer?.accountId, address: address() });
  allow(endpoint.access, viewer);
  const { params, query, body, bodyText } = await decode(endpoint, request, pathParams);
  const traced = tracedRead(request, options.traces);
  const info: RequestInfo = {
    raw: request,
    // Read only by few handlers, and costly to make for each request.
    get address() {
      return address();
    },
    get userAgent() {
      return (request.headers.get('user-agent') ?? '').slice(0, 400);
    },
    get signal() {
      return traced?.signal ?? request.signal;
    },
    cancelTrace: () => traced?.cancelOthers(),
    idempotency: endpoint.method === 'GET' ? undefined : idempotencyOf(request, viewer?.accountId, bodyText),
    log: options.log,
  };
  let added: Headers | undefined;
  const reply: Reply = {
    get headers() {
      added ??= new Headers();
      return added;
    },
  };
  let result: unknown;
  try {
    result = await route.handle({ params, query, body, request: info, reply }, viewer);
  } finally {
    traced?.end();
  }
  if (!(result instanceof Response)) return json(endpoint, result, added ?? new Headers());
  return added ? withHeaders(result, added) : result;
}

function tracedRead(request: Request, traces: Traces): TracedRead | undefined {
  if (request.method !== 'GET') return undefined;
  const traceId = traceIdOf(request.headers);
  return traceId === undefined ? undefined : traces.begin(traceId, request.signal);
}

function json(endpoint: AnyEndpoint, result: unknown, headers: Headers): Response {
  headers.set('cache-control', 'no-store');
  if (!endpoint.response) return new Response(null, { status: endpoint.status, headers });
  headers.set('content-type', 'application/json');
  return new Response(JSON.stringify(result), { status: endpoint.status, headers });
}

function withHeaders(response: Response, headers: Headers): Response {
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}

/** A public endpoint reads no token at all; every other one says when a token is stale, so that clients renew it. */
async function viewerOf(
  access: Access,
  request: Request,
  options: DispatchOptions,
): Promise<Viewer | undefined> {
  if (access === 'public') return undefined;
  const credentials = credentialsOf(request);
  if (!credentials) return undefined;
  return options.authenticate(credentials.token);
}

const rank = { user: 0, moderator: 1, admin: 2 } as const;

function allow(access: Access, viewer: Viewer | undefined): void {
  if (access === 'public' || access === 'optional') return;
  if (!viewer) throw new AppError('unauthenticated');
  if (rank[viewer.role] < rank[access]) throw new AppError('forbidden');
}

function failure(
  error: unknown,
  name: string,
  { log, failures }: DispatchOptions,
  traceId: string,
): Response {
  const known = error instanceof AppError ? error : new AppError('internal', { cause: error });
  if (known.status >= 500 && known.code !== 'shutting-down') {
    const err = known.cause ?? known;
    failures.say(`${name} ${known.code} ${String(err).slice(0, 80)}`, (times) =>
      log.error({ err, code: known.code, request: name, traceId, times }, 'request failed'),
    );
  }
  return problemResponse(known, /^0+$/.test(traceId) ? {} : { traceId });
}
