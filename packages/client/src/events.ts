import { ApiError, NetworkError } from './errors.ts';
import { backoffMs, type Surroundings } from './wait.ts';

export interface ServerEvent {
  readonly type: string;
  readonly data: string;
  readonly id: string | undefined;
}

export interface EventOptions {
  readonly signal?: AbortSignal;
  /** Reconnections in a row without a single event, before the last failure is thrown. */
  readonly maxReconnects?: number;
}

export type OpenStream = (signal: AbortSignal, lastEventId: string | undefined) => Promise<Response>;

const baseDelayMs = 500;
const maxDelayMs = 10_000;
/** An event larger than this is not one of ours. */
const maxEventChars = 1_000_000;

/** Cuts a stream of text into events, as https://html.spec.whatwg.org/multipage/server-sent-events.html says. */
export class EventParser {
  #buffer = '';
  #type = '';
  #data: string[] = [];
  lastEventId: string | undefined;

  push(chunk: string): ServerEvent[] {
    this.#buffer += chunk;
    if (this.#buffer.length > maxEventChars) {
      throw new NetworkError('An event is too large', { timedOut: false });
    }
    const events: ServerEvent[] = [];
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#buffer);
      if (end === null) return events;
      const line = this.#buffer.slice(0, end.index);
      this.#buffer = this.#buffer.slice(end.index + end[0].length);
      const event = this.#line(line);
      if (event) events.push(event);
    }
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    if (field === 'data') this.#data.push(value);
    if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const data = this.#data;
    const type = this.#type || 'message';
    this.#data = [];
    this.#type = '';
    return data.length === 0 ? undefined : { type, data: data.join('\n'), id: this.lastEventId };
  }
}

/** Reads events over as many connections as it takes. */
export async function* readEvents(
  open: OpenStream,
  options: EventOptions,
  around: Surroundings,
): AsyncGenerator<ServerEvent> {
  const signal = options.signal ?? new AbortController().signal;
  const maxReconnects = options.maxReconnects ?? 8;
  let lastEventId: string | undefined;
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await open(signal, lastEventId);
      if (response.status === 204 || response.body === null) return;
      for await (const event of readBody(response.body)) {
        failures = 0;
        lastEventId = event.id;
        yield event;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError || failures >= maxReconnects) throw error;
    }
    if (failures >= maxReconnects) {
      throw new NetworkError('The event stream keeps ending', { timedOut: false });
    }
    await around.sleep(backoffMs(failures, baseDelayMs, maxDelayMs, around.random), signal);
  }
}

async function* readBody(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    // Leaving the loop early gives the connection back; a stream that already failed has nothing to give.
    await reader.cancel().catch((error: unknown) => error);
  }
}
