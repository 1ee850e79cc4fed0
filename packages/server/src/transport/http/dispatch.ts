import { type Access, type AnyEndpoint, API_PREFIX } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import { Joiner } from '../../kernel/json-list.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import { isTracing, tracedRequest } from '../../kernel/trace.ts';
import { accessTokenOf, refuseCrossOrigin } from './credentials.ts';
import { type DecodedParts, decode, idempotencyOf } from './decode.ts';
import type { DispatchOptions } from './dispatch-options.ts';
import { Exchange } from './exchange.ts';
import { lateBody } from './late-body.ts';
import { problemResponse } from './problems.ts';
import { ReadyJson, type Route, type Viewer } from './route.ts';
import type { SocketEnd } from './sockets.ts';

export type Dispatch = (request: Bun.BunRequest, server: Bun.Server<SocketEnd>) => MaybePromise<Response>;

/**
 * Makes the function that carries a request from the socket to its handler and the answer back. What is known at once (a
 * token checked before, a page from memory) is answered at once: without a promise, in the turn in which the request came.
 */
export function dispatcher(route: Route, options: DispatchOptions): Dispatch {
  const { endpoint } = route;
  const name = `${endpoint.method} ${endpoint.path}`;
  const observe = options.observer(endpoint);
  const carry = (request: Bun.BunRequest, server: Bun.Server<SocketEnd>, traceId: string | undefined) => {
    const startedMs = performance.now();
    const answered = (response: Response): Response => {
      observe(response.status, (performance.now() - startedMs) / 1000);
      return response;
    };
    const failed = (error: unknown) => answered(failure(error, name, options, traceId, request.signal));
    try {
      const response = answer(route, options, new Exchange(request, server, options));
      return response instanceof Promise ? response.then(answered, failed) : answered(response);
    } catch (error) {
      return failed(error);
    }
  };
  return (request, server) => {
    if (!isTracing()) return carry(request, server, undefined);
    return tracedRequest(name, request.headers, async (span) => {
      const response = await carry(request, server, span.spanContext().traceId);
      span.setAttribute('http.response.status_code', response.status);
      return response;
    });
  };
}

/** Carries a request of somebody whose token was checked before, and which came by another way than HTTP. */
export type DispatchAs = (
  request: Request,
  path: string,
  viewer: Viewer,
  address: string,
) => MaybePromise<Response> | undefined;

/** Answers undefined where there is no such route. */
export function dispatcherAs(routes: readonly Route[], options: DispatchOptions): DispatchAs {
  const matchers = routes.map((route) => ({
    route,
    method: route.endpoint.method as string,
    segments: (API_PREFIX + route.endpoint.path).split('/'),
    name: `${route.endpoint.method} ${route.endpoint.path}`,
  }));
  return (request, path, viewer, address) => {
    const parts = path.split('/');
    // A name in the path wins over a parameter.
    const fitting = matchers
      .filter(({ method, segments }) => method === request.method && fits(segments, parts))
      .sort((a, b) => parametersOf(a.segments) - parametersOf(b.segments));
    const [found] = fitting;
    if (!found) return undefined;
    const { route } = found;
    const failed = (error: unknown) => failure(error, found.name, options, undefined, request.signal);
    try {
      const params = paramsOf(found.segments, parts);
      const exchange = new Exchange(Object.assign(request, { params }) as Bun.BunRequest, address, options);
      // As over HTTP, where a public endpoint does not ask who it is.
      const caller = route.endpoint.access === 'public' ? undefined : viewer;
      const response = answerTo(caller, route, options, exchange);
      return response instanceof Promise ? response.catch(failed) : response;
    } catch (error) {
      return failed(error);
    }
  };
}

const fits = (segments: readonly string[], parts: readonly string[]) =>
  segments.length === parts.length &&
  segments.every((segment, at) => segment.startsWith('{') || segment === parts[at]);

const parametersOf = (segments: readonly string[]) => segments.filter((each) => each.startsWith('{')).length;

function paramsOf(segments: readonly string[], parts: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [at, segment] of segments.entries())
    if (segment.startsWith('{')) params[segment.slice(1, -1)] = decoded(parts[at] ?? '');
  return params;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new AppError('invalid-request', { detail: 'The path is not encoded as it should be', cause });
  }
}

function answer(route: Route, options: DispatchOptions, exchange: Exchange): MaybePromise<Response> {
  const { access } = route.endpoint;
  refuseCrossOrigin(exchange.raw, options.publicOrigin, options.allowsOrigin);
  // A public endpoint reads no token at all; every other one says when a token is stale, so that clients renew it.
  const token = access === 'public' ? undefined : accessTokenOf(exchange.raw);
  if (token === undefined) return answerTo(undefined, route, options, exchange);
  const viewer = options.authenticate(token);
  return viewer instanceof Promise
    ? viewer.then((viewer) => answerTo(viewer, route, options, exchange.late()))
    : answerTo(viewer, route, options, exchange);
}

function answerTo(
  viewer: Viewer | undefined,
  route: Route,
  { limits }: DispatchOptions,
  exchange: Exchange,
): MaybePromise<Response> {
  const { endpoint } = route;
  limits?.take(endpoint.limit, { accountId: viewer?.accountId, address: exchange.address });
  allow(endpoint.access, viewer);
  const parts = decode(endpoint, exchange.raw, exchange.raw.params as Record<string, string>);
  return parts instanceof Promise
    ? parts.then((parts) => handle(route, viewer, parts, exchange.late()))
    : handle(route, viewer, parts, exchange);
}

function handle(
  route: Route,
  viewer: Viewer | undefined,
  { params, query, body, bodyText }: DecodedParts,
  exchange: Exchange,
): MaybePromise<Response> {
  const { endpoint } = route;
  if (endpoint.method !== 'GET')
    exchange.idempotency = idempotencyOf(exchange.raw, viewer?.accountId, bodyText);
  exchange.begin(endpoint);
  let result: MaybePromise<unknown>;
  try {
    result = route.handle({ params, query, body, request: exchange, reply: exchange }, viewer);
  } catch (error) {
    exchange.end();
    throw error;
  }
  if (!(result instanceof Promise)) {
    exchange.end();
    return responseOf(endpoint, result, exchange);
  }
  return result.finally(() => exchange.end()).then((result) => responseOf(endpoint, result, exchange.late()));
}

const joiner = new Joiner();
/** Copied by each answer, which is cheaper than making them. */
const jsonHeaders = new Headers({ 'cache-control': 'no-store', 'content-type': 'application/json' });
const bareHeaders = new Headers({ 'cache-control': 'no-store' });

function responseOf(endpoint: AnyEndpoint, result: unknown, exchange: Exchange): Response {
  const { status } = endpoint;
  const { addedHeaders } = exchange;
  let response: Response;
  if (result instanceof Response) response = result;
  else if (!(result instanceof ReadyJson) && !endpoint.response)
    response = new Response(null, { status, headers: bareHeaders });
  else {
    const text = result instanceof ReadyJson ? bodyOf(result) : JSON.stringify(result);
    response = new Response(exchange.isLate ? lateBody(text) : text, { status, headers: jsonHeaders });
  }
  return addedHeaders ? withHeaders(response, addedHeaders) : response;
}

/** Where it is joined is used again: the answer has a copy of its own at once. */
const bodyOf = ({ body }: ReadyJson) => (typeof body === 'string' ? body : joiner.join(body));

function withHeaders(response: Response, headers: Headers): Response {
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
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
  traceId: string | undefined,
  client: AbortSignal,
): Response {
  // Nobody waits for the answer any more, and nothing is wrong here.
  const isGone = client.aborted && error === client.reason;
  const code = isGone ? 'cancelled' : 'internal';
  const known = error instanceof AppError ? error : new AppError(code, { cause: error });
  if (known.status >= 500 && known.code !== 'shutting-down') {
    const err = known.cause ?? known;
    failures.say(`${name} ${known.code} ${String(err).slice(0, 80)}`, (times) =>
      log.error({ err, code: known.code, request: name, traceId, times }, 'request failed'),
    );
  }
  return problemResponse(known, traceId === undefined || /^0+$/.test(traceId) ? {} : { traceId });
}
