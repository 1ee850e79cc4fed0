import { decodeUtf8, encodeUtf8 } from './octets.ts';

export type StompVersion = '1.0' | '1.1' | '1.2';

/** The most frequent first: they are tried in this order. */
export const CLIENT_COMMANDS = [
  'SEND',
  'ACK',
  'SUBSCRIBE',
  'CONNECT',
  'STOMP',
  'NACK',
  'UNSUBSCRIBE',
  'DISCONNECT',
  'BEGIN',
  'COMMIT',
  'ABORT',
] as const;
export const SERVER_COMMANDS = ['MESSAGE', 'RECEIPT', 'CONNECTED', 'ERROR'] as const;

export type ClientCommand = (typeof CLIENT_COMMANDS)[number];
export type ServerCommand = (typeof SERVER_COMMANDS)[number];
export type StompCommand = ClientCommand | ServerCommand;

/** Name, value, name, value, in the order of the frame, without escapes: one array is all that the headers cost. */
export type StompHeaders = readonly string[];

/**
 * One decoded frame. The body is kept in the form it arrived in, and the other form is made when asked for.
 *
 * Values and body are views of what arrived: whoever keeps one keeps the whole WebSocket message, unless `detached`.
 */
export class StompFrame {
  readonly command: StompCommand;
  readonly headers: StompHeaders;
  #text: string | undefined;
  #body: Uint8Array | undefined;

  constructor(command: StompCommand, headers: StompHeaders, content: string | Uint8Array) {
    this.command = command;
    this.headers = headers;
    if (typeof content === 'string') this.#text = content;
    else this.#body = content;
  }

  get body(): Uint8Array {
    this.#body ??= encodeUtf8(this.#text ?? '');
    return this.#body;
  }

  /** Throws the fault `invalid-utf8` when the body is no text. */
  get text(): string {
    this.#text ??= decodeUtf8(this.body);
    return this.#text;
  }
}

/** The value of a header. Of a repeated one the first counts: what follows is the history of its changes. */
export function header(frame: { readonly headers: StompHeaders }, name: string): string | undefined {
  const { headers } = frame;
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] === name) return headers[at + 1];
  }
  return undefined;
}

/** The same value as a text of its own, for what is kept as long as a connection. */
export function detached(value: string): string {
  return decodeUtf8(encodeUtf8(value));
}

/** These frames are read and written without escapes, since they come before a version is agreed upon. */
export function isHandshake(command: StompCommand): boolean {
  return command === 'CONNECT' || command === 'CONNECTED' || command === 'STOMP';
}

export function mayHaveBody(command: StompCommand): boolean {
  return command === 'SEND' || command === 'MESSAGE' || command === 'ERROR';
}
