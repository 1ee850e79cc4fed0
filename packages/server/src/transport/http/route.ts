import type { AnyEndpoint, BodyOf, ParamsOf, QueryOf, ResponseOf, Role } from '@hvideo/protocol';
import type { JsonList } from '../../kernel/json-list.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type { Idempotency } from '../../ports/database/port.ts';

/** Who is calling, as proven by a valid access token. */
export interface Viewer {
  readonly accountId: string;
  readonly role: Role;
  readonly sessionId: string;
}

/** What a handler may know of the request besides its validated parts. */
export interface RequestInfo {
  readonly raw: Request;
  /** The client's address; behind a trusted proxy the one it reports. */
  readonly address: string;
  readonly userAgent: string;
  /** Aborted when the client goes away, or the request's trace is cancelled. */
  readonly signal: AbortSignal;
  /** There will be no page: other reads of the same trace, on any node, need not go on. */
  readonly cancelTrace: () => void;
  readonly idempotency: Idempotency | undefined;
  readonly log: import('pino').Logger;
}

/** Headers (cookies among them) that a handler adds to its answer. */
export interface Reply {
  readonly headers: Headers;
}

export interface Call<E> {
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  readonly request: RequestInfo;
  readonly reply: Reply;
}

type ViewerOf<E> = E extends { access: 'user' | 'moderator' | 'admin' } ? Viewer : Viewer | undefined;

/** An answer that is JSON already, perhaps in parts shared by many: sent as it is, with the status and headers of any other. */
export class ReadyJson {
  readonly body: string | JsonList;

  constructor(body: string | JsonList) {
    this.body = body;
  }
}

export interface Route {
  readonly endpoint: AnyEndpoint;
  readonly handle: (call: Call<AnyEndpoint>, viewer: Viewer | undefined) => MaybePromise<unknown>;
}

/**
 * Ties an endpoint to its handler. The server has validated params, query and body and checked `access`; whether this
 * viewer may do it to this object is the feature's to check. A `Response` is sent as it is, anything else as JSON. A handler
 * that has its answer in memory should give it at once, not a promise of it.
 */
export function route<E extends AnyEndpoint>(
  endpoint: E,
  handle: (call: Call<E>, viewer: ViewerOf<E>) => MaybePromise<Response | ReadyJson | ResponseOf<E>>,
): Route {
  return { endpoint, handle: handle as Route['handle'] };
}
