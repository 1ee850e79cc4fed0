import { StompFault } from './fault.ts';

export const NUL = 0;
export const LF = 10;
export const CR = 13;
export const COLON = 58;
export const BACKSLASH = 92;

const encoder = new TextEncoder();
// A byte order mark is a character like any other: dropping it would change what people sent.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw new StompFault('invalid-utf8');
    throw error;
  }
}

/** How many octets a code unit takes in UTF-8, if the text is well formed: of a pair, each half counts two. */
export function octetsOf(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code >= 0xd800 && code <= 0xdfff ? 2 : 3;
}

/** The length in UTF-8 of `text` from `start` to `end`, which must be well formed. */
export function utf8Length(text: string, start = 0, end = text.length): number {
  let length = end - start;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) length += octetsOf(code) - 1;
  }
  return length;
}
