import { MENTION } from '@hvideo/protocol';

/** One comment calls at most so many people. */
export const MAX_MENTIONS = 10;

/** The names after an @ in a text, in lower case, each once. An address of mail is not one. */
export function mentionsIn(text: string): string[] {
  const names = [...text.matchAll(MENTION)].map(([, name]) => (name ?? '').toLowerCase());
  return [...new Set(names)].slice(0, MAX_MENTIONS);
}
