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

const scratch = new Uint8Array(16 * 1024);

/** The length in UTF-8. The engine’s own encoder is faster than any loop here, even if what it writes is not used. */
export function utf8Length(text: string): number {
  if (text.length <= scratch.length) {
    const { read, written } = encoder.encodeInto(text, scratch);
    if (read === text.length) return written;
  }
  return encoder.encode(text).length;
}

/** Whether `text` from `start` to `end` takes more than `max` octets. A code unit takes one to three. */
export function isLonger(text: string, start: number, end: number, max: number): boolean {
  const length = end - start;
  return length > max || (length * 3 > max && utf8Length(text.slice(start, end)) > max);
}
