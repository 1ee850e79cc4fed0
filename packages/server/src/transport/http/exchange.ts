import type { AnyEndpoint } from '@hvideo/protocol';
import type { Idempotency } from '../../ports/database/port.ts';
import { addressOf } from './credentials.ts';
import type { DispatchOptions } from './dispatch-options.ts';
import type { Reply, RequestInfo } from './route.ts';
import type { SocketEnd } from './sockets.ts';
import { type TracedRead, traceIdOf } from './traces.ts';

/**
 * One request under way, and what its handler adds to the answer. One object of one shape for each request; what few handlers
 * ask for is made when they do.
 */
export class Exchange implements RequestInfo, Reply {
  readonly raw: Bun.BunRequest;
  idempotency: Idempotency | undefined = undefined;
  /** It is not answered in the turn in which it came. */
  isLate = false;
  /** Or the address, where it is known. */
  readonly #server: Bun.Server<SocketEnd> | string;
  readonly #options: DispatchOptions;
  #traced: TracedRead | undefined = undefined;
  #headers: Headers | undefined = undefined;

  constructor(request: Bun.BunRequest, server: Bun.Server<SocketEnd> | string, options: DispatchOptions) {
    this.raw = request;
    this.#server = server;
    this.#options = options;
  }

  late(): this {
    this.isLate = true;
    return this;
  }

  get log() {
    return this.#options.log;
  }

  get address(): string {
    if (typeof this.#server === 'string') return this.#server;
    const socketAddress = this.#server.requestIP(this.raw)?.address ?? '';
    return addressOf(this.raw, socketAddress, this.#options.trustedProxies);
  }

  get userAgent(): string {
    return (this.raw.headers.get('user-agent') ?? '').slice(0, 400);
  }

  get signal(): AbortSignal {
    return this.#traced?.signal ?? this.raw.signal;
  }

  /** To be added to the answer. */
  get headers(): Headers {
    this.#headers ??= new Headers();
    return this.#headers;
  }

  get addedHeaders(): Headers | undefined {
    return this.#headers;
  }

  /** The handler is about to be called; to be followed by `end`. Only a read can be cancelled by its trace. */
  begin(endpoint: AnyEndpoint): void {
    const traceId = endpoint.method === 'GET' ? traceIdOf(this.raw.headers) : undefined;
    if (traceId !== undefined) this.#traced = this.#options.traces.begin(traceId, this.raw.signal);
  }

  cancelTrace(): void {
    this.#traced?.cancelOthers();
  }

  end(): void {
    this.#traced?.end();
  }
}
