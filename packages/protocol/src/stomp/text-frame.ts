import { StompFault } from './fault.ts';
import { mayHaveBody, type StompCommand, StompFrame } from './frame.ts';
import { commandAt, type Rules, readHeaders, section } from './headers.ts';
import { CR, isLonger, LF, NUL, octetsOf, utf8Length } from './octets.ts';

/** Where `readTextFrame` stopped: after the frame, or at the beginning of one that is not whole. */
export const textEnd = { at: 0, heartBeats: 0 };

/** Reads the frame at `start`, or answers undefined when `text`, which must be well formed, ends before it does. */
export function readTextFrame(text: string, start: number, rules: Rules): StompFrame | undefined {
  const frameStart = skipLineEnds(text, start);
  textEnd.at = frameStart;
  // The end of nearly every frame; of one with NUL in its body, at least of its headers.
  const nul = text.indexOf('\0', frameStart);
  if (nul < 0) return undefined;
  // What is searched for below is not searched for in the frames behind.
  const part = text.slice(frameStart, nul);
  const commandEnd = part.indexOf('\n');
  const command = commandAt(part, 0, commandEnd, rules);
  readHeaders(part, commandEnd + 1, command, rules);
  const { headers, contentLength, end } = section;
  const { limits } = rules;
  if (isLonger(part, 0, end, limits.maxHeaderBytes)) throw new StompFault('headers-too-large');
  const body = part.slice(end);
  if (contentLength >= 0) {
    const length = utf8Length(body);
    if (length > contentLength) throw new StompFault('missing-nul');
    if (length < contentLength) return readLongBody(text, frameStart + end, command);
  } else if (body !== '') {
    if (!mayHaveBody(command)) throw new StompFault('unexpected-body');
    if (isLonger(body, 0, body.length, limits.maxBodyBytes)) throw new StompFault('body-too-large');
  }
  textEnd.at = nul + 1;
  return new StompFrame(command, headers, body);
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

/** A body with NUL in it, whose end only its length tells. */
function readLongBody(text: string, start: number, command: StompCommand): StompFrame | undefined {
  const { headers, contentLength } = section;
  let at = start;
  let octets = 0;
  for (; octets < contentLength && at < text.length; at++) octets += octetsOf(text.charCodeAt(at));
  if (octets > contentLength) throw new StompFault('missing-nul', 'content-length ends within a character');
  if (at === text.length) return undefined;
  if (text.charCodeAt(at) !== NUL) throw new StompFault('missing-nul');
  textEnd.at = at + 1;
  return new StompFrame(command, headers, text.slice(start, at));
}
