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
