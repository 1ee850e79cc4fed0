import { endsLinesWithCr, escapesOf, unescapeHeader } from './escapes.ts';
import { StompFault } from './fault.ts';
import {
  CLIENT_COMMANDS,
  mayHaveBody,
  SERVER_COMMANDS,
  type StompCommand,
  type StompVersion,
} from './frame.ts';
import type { StompLimits } from './limits.ts';
import { nameAt } from './names.ts';
import { CR, isLonger } from './octets.ts';

/** Who sends what is read. */
export type Sender = 'client' | 'server';

/** How the frames of one connection are read until another version is agreed upon. */
export interface Rules {
  readonly from: Sender;
  readonly version: StompVersion;
  readonly limits: StompLimits;
}

/** With a carriage return. */
export const LONGEST_COMMAND_LINE = 'UNSUBSCRIBE\r'.length;

/** The command in the line of `text` from `start` to `end`, where the line feed is. */
export function commandAt(text: string, start: number, end: number, rules: Rules): StompCommand {
  const hasCr = text.charCodeAt(end - 1) === CR;
  const length = end - start - (hasCr ? 1 : 0);
  const commands: readonly StompCommand[] = rules.from === 'client' ? CLIENT_COMMANDS : SERVER_COMMANDS;
  for (const command of commands) {
    if (command.length !== length || !text.startsWith(command, start)) continue;
    if (!hasCr || endsLinesWithCr(command, rules.version)) return command;
  }
  throw new StompFault('unknown-command');
}

/** What `readHeaders` found. It is used up at once, so that one object serves all readers. */
export interface HeaderSection {
  headers: string[];
  /** Where the body begins. */
  end: number;
  /** -1 without the header: the body ends at the first NUL. */
  contentLength: number;
}

export const section: HeaderSection = { headers: [], end: 0, contentLength: -1 };

/**
 * Reads into `section` the header lines of `text` from `start` on, up to and with the blank line that ends them. The
 * text ends before the first NUL, which must not come earlier than that.
 */
export function readHeaders(text: string, start: number, command: StompCommand, rules: Rules): void {
  const { limits } = rules;
  const escapes = escapesOf(command, rules.version);
  const headers: string[] = [];
  let contentLength = -1;
  // The search for each is made by the engine, and much faster than looking at each character here.
  let backslash = nextOf(text, '\\', start);
  let cr = endsLinesWithCr(command, rules.version) ? nextOf(text, '\r', start) : text.length;
  let at = start;
  for (;;) {
    const lf = text.indexOf('\n', at);
    if (lf < 0) throw new StompFault('malformed-header', 'NUL');
    const end = Math.min(cr, lf);
    if (end < lf) {
      if (end !== lf - 1) throw new StompFault('malformed-header', 'a lone carriage return');
      cr = nextOf(text, '\r', lf);
    }
    if (end === at) {
      section.end = lf + 1;
      break;
    }
    if (isLonger(text, at, end, limits.maxHeaderLineBytes)) throw new StompFault('header-line-too-long');
    if (headers.length === limits.maxHeaders * 2) throw new StompFault('too-many-headers');
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > end) throw new StompFault('malformed-header', 'no colon');
    if (colon === at) throw new StompFault('malformed-header', 'no name');
    const name = nameAt(text, at, colon);
    const value = text.slice(colon + 1, end);
    if (name === 'content-length' && contentLength < 0) {
      contentLength = readContentLength(value, limits.maxBodyBytes);
    }
    if (backslash < end) {
      headers.push(unescapeHeader(name, escapes), unescapeHeader(value, escapes));
      backslash = nextOf(text, '\\', end);
    } else headers.push(name, value);
    at = lf + 1;
  }
  if (contentLength > 0 && !mayHaveBody(command)) throw new StompFault('unexpected-body');
  section.headers = headers;
  section.contentLength = contentLength;
}

function nextOf(text: string, character: string, start: number): number {
  const at = text.indexOf(character, start);
  return at < 0 ? text.length : at;
}

/** Refuses what is over the limit here, before anything of the body is kept. */
function readContentLength(value: string, max: number): number {
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) throw new StompFault('invalid-content-length');
    length = Math.min(length * 10 + digit, Number.MAX_SAFE_INTEGER);
  }
  if (value === '') throw new StompFault('invalid-content-length');
  if (length > max) throw new StompFault('body-too-large', `content-length ${length}`);
  return length;
}
