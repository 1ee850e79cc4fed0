// Imports no schema: clients that are sent over a network carry this part of the protocol with them.

export const MESSAGE_TEXT_MAX = 4000;
/** Of the whole JSON text of a message. */
export const MESSAGE_MAX_BYTES = 16_384;

/** But tabs and line breaks. */
const controlCharacters = /[^\P{Cc}\t\n\r]/u;

/**
 * What may be said, as it is: not trimmed, not normalised. What the sender's hash is of is what is stored, so that a repeat
 * is known for one.
 */
export function isMessageText(text: string): boolean {
  if (text.length > MESSAGE_TEXT_MAX * 2 || text.trim() === '') return false;
  if (text.length > MESSAGE_TEXT_MAX && [...text].length > MESSAGE_TEXT_MAX) return false;
  return text.isWellFormed() && !controlCharacters.test(text);
}

export const IMAGE_URL_MAX = 2000;

const here = 'https://here.invalid';

/**
 * An address by https, or a path of this server, which `//host` is not, however it is written. Whoever shows it takes it apart, so
 * that it must be an address.
 */
export function isImageUrl(url: string): boolean {
  const isPath = url.startsWith('/');
  if (!isPath && !url.startsWith('https://')) return false;
  return URL.canParse(url, here) && (!isPath || new URL(url, here).origin === here);
}
