import { StompFault } from './fault.ts';
import { mayHaveBody, StompFrame } from './frame.ts';
import { commandAt, LONGEST_COMMAND_LINE, type Rules, readHeaders, section } from './headers.ts';
import { CR, LF, NUL, octetsOf, utf8Length } from './octets.ts';

/** Where `readTextFrame` stopped: after the frame, or at the beginning of one that is not whole. */
export const textEnd = { at: 0, heartBeats: 0 };

/** Reads the frame at `start`, or answers undefined when `text`, which must be well formed, ends before it does. */
export function readTextFrame(text: string, start: number, rules: Rules): StompFrame | undefined {
  const commandStart = skipLineEnds(text, start);
  textEnd.at = commandStart;
  const limit = Math.min(text.length, commandStart + LONGEST_COMMAND_LINE + 1);
  let commandEnd = commandStart;
  while (commandEnd < limit && text.charCodeAt(commandEnd) !== LF) commandEnd += 1;
  if (commandEnd === text.length) return undefined;
  const command = commandAt(text, commandStart, commandEnd, rules);
  if (!readHeaders(text, commandEnd + 1, command, commandEnd + 1 - commandStart, rules)) return undefined;
  const { headers, contentLength, end: bodyStart } = section;
  if (contentLength < 0 && !mayHaveBody(command)) {
    if (bodyStart === text.length) return undefined;
    if (text.charCodeAt(bodyStart) !== NUL) throw new StompFault('unexpected-body');
  }
  const bodyEnd =
    contentLength < 0
      ? endByNul(text, bodyStart, rules.limits.maxBodyBytes)
      : endByLength(text, bodyStart, contentLength);
  if (bodyEnd < 0) return undefined;
  textEnd.at = bodyEnd + 1;
  return new StompFrame(command, headers, text.slice(bodyStart, bodyEnd));
}

function skipLineEnds(text: string, start: number): number {
  let at = start;
  let heartBeats = 0;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === LF) heartBeats += 1;
    else if (code !== CR || text.charCodeAt(at + 1) !== LF) break;
  }
  textEnd.heartBeats = heartBeats;
  return at;
}

function endByNul(text: string, start: number, maxBytes: number): number {
  const end = text.indexOf('\0', start);
  const known = end < 0 ? text.length : end;
  // A code unit takes one to three octets, so that few bodies must be measured.
  if (
    known - start > maxBytes ||
    ((known - start) * 3 > maxBytes && utf8Length(text, start, known) > maxBytes)
  ) {
    throw new StompFault('body-too-large');
  }
  return end;
}

/** The index after `bodyBytes` octets, where NUL must stand. */
function endByLength(text: string, start: number, bodyBytes: number): number {
  let at = start;
  let octets = 0;
  for (; octets < bodyBytes && at < text.length; at++) {
    const code = text.charCodeAt(at);
    octets += code < 0x80 ? 1 : octetsOf(code);
  }
  if (octets > bodyBytes) throw new StompFault('missing-nul', 'content-length ends within a character');
  if (at === text.length) return -1;
  if (text.charCodeAt(at) !== NUL) throw new StompFault('missing-nul');
  return at;
}
