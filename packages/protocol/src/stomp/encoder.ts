import { type Escapes, escapeHeader, escapesOf } from './escapes.ts';
import { StompFault } from './fault.ts';
import { mayHaveBody, type StompCommand, type StompHeaders, type StompVersion } from './frame.ts';
import { isKnownName } from './names.ts';
import { encodeUtf8, utf8Length } from './octets.ts';

/** The heart-beat: a line end between frames. */
export const EOL = '\n';

/**
 * The octets of one frame: text for a text body, bytes for a body of bytes. `content-length` is added here, and may not
 * be among `headers`. Throws the fault `unencodable` for what this version of STOMP has no way to say; what was decoded in
 * it, it can say.
 */
export function encodeFrame(
  command: StompCommand,
  headers: StompHeaders,
  body?: string,
  version?: StompVersion,
): string;
export function encodeFrame(
  command: StompCommand,
  headers: StompHeaders,
  body: Uint8Array,
  version?: StompVersion,
): Uint8Array;
export function encodeFrame(
  command: StompCommand,
  headers: StompHeaders,
  body: string | Uint8Array = '',
  version: StompVersion = '1.2',
): string | Uint8Array {
  if (body.length > 0 && !mayHaveBody(command)) throw new StompFault('unencodable', `${command} with a body`);
  const start = `${command}\n${encodeHeaders(headers, escapesOf(command, version))}`;
  return typeof body === 'string' ? start + textTail(body) : withBytes(start, body);
}

export function encodeHeaders(headers: StompHeaders, escapes: Escapes): string {
  let lines = '';
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at];
    const value = headers[at + 1];
    if (name === undefined || value === undefined)
      throw new StompFault('unencodable', 'a name without a value');
    const written = isKnownName(name) ? name : encodeName(name, escapes);
    lines += `${written}:${escapeHeader(value, escapes, false)}\n`;
  }
  return lines;
}

function encodeName(name: string, escapes: Escapes): string {
  if (name === '' || name === 'content-length') throw new StompFault('unencodable', `the header "${name}"`);
  return escapeHeader(name, escapes, true);
}

/** What follows the other headers: the length, the body, the end. */
export function textTail(body: string): string {
  if (body === '') return '\n\0';
  if (!body.isWellFormed()) throw new StompFault('unencodable', 'a lone surrogate');
  return `content-length:${utf8Length(body)}\n\n${body}\0`;
}

function withBytes(start: string, body: Uint8Array): Uint8Array {
  const startBytes = encodeUtf8(`${start}content-length:${body.length}\n\n`);
  const frame = new Uint8Array(startBytes.length + body.length + 1);
  frame.set(startBytes);
  frame.set(body, startBytes.length);
  return frame;
}
