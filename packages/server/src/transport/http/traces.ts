import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Bus, Subscription } from '../../ports/bus/port.ts';

const topic = 'cancelled-traces';
/** Requests of one trace under way on one node; more are not tracked, and end by themselves. */
const maxEach = 64;

/** One read that belongs to a trace. */
export interface TracedRead {
  /** Aborted when the client goes away, or the trace is cancelled. */
  readonly signal: AbortSignal;
  /** The other reads of the trace, on every node, are of no use any more. Waits for no reply. */
  cancelOthers(): void;
  end(): void;
}

/**
 * Reads under way by their trace. A page that a gateway puts together from several requests gives all of them one
 * `traceparent`: when the client goes, or the part without which there is no page fails, the rest is cancelled on whichever
 * node it runs, down to the statement. Only reads: a write that was begun is finished.
 */
export class Traces implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #reads = new Map<string, Set<AbortController>>();
  #subscription: Subscription | undefined;

  private constructor(bus: Bus, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  static async open(bus: Bus, log: Logger): Promise<Traces> {
    const traces = new Traces(bus, log);
    traces.#subscription = await bus.subscribe(topic, {
      onMessage: (message) => traces.#cancel(new TextDecoder().decode(message)),
      // What was missed goes on to its end.
      onGap: () => {},
    });
    return traces;
  }

  begin(traceId: string, client: AbortSignal): TracedRead {
    const own = new AbortController();
    const reads = this.#reads.get(traceId) ?? new Set();
    this.#reads.set(traceId, reads);
    if (reads.size < maxEach) reads.add(own);
    const onGone = () => {
      own.abort(client.reason);
      this.#tell(traceId);
    };
    client.addEventListener('abort', onGone, { once: true });
    const end = () => {
      client.removeEventListener('abort', onGone);
      reads.delete(own);
      if (reads.size === 0 && this.#reads.get(traceId) === reads) this.#reads.delete(traceId);
    };
    return {
      signal: own.signal,
      cancelOthers: () => {
        end();
        this.#tell(traceId);
      },
      end,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscription?.[Symbol.asyncDispose]();
  }

  #tell(traceId: string): void {
    this.#bus
      .publish(topic, new TextEncoder().encode(traceId))
      .catch((error: unknown) => this.#log.debug({ error: String(error) }, 'a cancellation was lost'));
  }

  #cancel(traceId: string): void {
    for (const read of this.#reads.get(traceId) ?? []) read.abort(new AppError('cancelled'));
  }
}

/** W3C Trace Context, section 3.2.2: `00-<trace id>-<span id>-<flags>`. */
export function traceIdOf(headers: Headers): string | undefined {
  const header = headers.get('traceparent');
  if (header === null) return undefined;
  const [, traceId] = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(header) ?? [];
  return traceId === '0'.repeat(32) ? undefined : traceId;
}
