import { StompFault } from './fault.ts';
import { isHandshake, type StompCommand, type StompVersion } from './frame.ts';
import { BACKSLASH, COLON, CR, LF, NUL } from './octets.ts';

/**
 * Which escapes a frame knows: none in the handshake and in 1.0; in 1.2 one more than in 1.1, for the carriage return,
 * which before 1.2 is a character like any other.
 */
export type Escapes = 'handshake' | StompVersion;

export function escapesOf(command: StompCommand, version: StompVersion): Escapes {
  return isHandshake(command) ? 'handshake' : version;
}

const hasEscapes = (escapes: Escapes) => escapes === '1.1' || escapes === '1.2';

/** In 1.2, and before a version is agreed upon, a line may end in carriage return and line feed. */
export function endsLinesWithCr(command: StompCommand, version: StompVersion): boolean {
  return version === '1.2' || isHandshake(command);
}

export function unescapeHeader(text: string, escapes: Escapes): string {
  let at = text.indexOf('\\');
  if (at < 0 || !hasEscapes(escapes)) return text;
  let plain = '';
  let from = 0;
  while (at >= 0) {
    plain += text.slice(from, at) + escaped(text[at + 1], escapes);
    from = at + 2;
    at = text.indexOf('\\', from);
  }
  return plain + text.slice(from);
}

function escaped(letter: string | undefined, escapes: Escapes): string {
  if (letter === 'c') return ':';
  if (letter === 'n') return '\n';
  if (letter === '\\') return '\\';
  if (letter === 'r' && escapes === '1.2') return '\r';
  throw new StompFault('undefined-escape');
}

/** `text` as it stands in a frame, or the fault `unencodable` where no escape exists for a character of it. */
export function escapeHeader(text: string, escapes: Escapes, isName: boolean): string {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (
      code === COLON ||
      code === BACKSLASH ||
      code === LF ||
      code === CR ||
      code === NUL ||
      code >= 0xd800
    ) {
      return escapeFrom(text, at, escapes, isName);
    }
  }
  return text;
}

function escapeFrom(text: string, start: number, escapes: Escapes, isName: boolean): string {
  if (!text.isWellFormed()) throw new StompFault('unencodable', 'a lone surrogate');
  let line = text.slice(0, start);
  for (const character of text.slice(start)) line += escapeOne(character, escapes, isName);
  return line;
}

function escapeOne(character: string, escapes: Escapes, isName: boolean): string {
  switch (character) {
    case '\0':
      throw new StompFault('unencodable', 'NUL in a header');
    case '\\':
      return hasEscapes(escapes) ? '\\\\' : '\\';
    case ':':
      if (hasEscapes(escapes)) return '\\c';
      // The first colon of a line ends the name, so that a value may hold others.
      if (isName) throw new StompFault('unencodable', 'a colon in the name of a header');
      return ':';
    case '\n':
      if (!hasEscapes(escapes)) throw new StompFault('unencodable', 'a line feed in a header');
      return '\\n';
    case '\r':
      if (escapes === 'handshake') throw new StompFault('unencodable', 'a carriage return in a header');
      return escapes === '1.2' ? '\\r' : '\r';
    default:
      return character;
  }
}
