import { MENTION } from '@hvideo/protocol';

export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string; readonly isHere: boolean }
  | { readonly kind: 'mention'; readonly text: string };

/** Ends at white space, at Chinese characters and punctuation (written right behind an address), and at quotes. */
const address =
  /https?:\/\/[^\s<>"'`\u2018-\u201f\u3000-\u303f\u3400-\u9fff\uac00-\ud7af\u3040-\u30ff\uff00-\uffef]+/giu;
const sentenceEnd = /[.,:;!?*_~]+$/;
const longest = 2000;

/** Cuts what belongs to the sentence, and a bracket that was opened before the address. */
function trimmed(found: string): string {
  let text = found.replace(sentenceEnd, '');
  while (/[)\]}]$/.test(text) && !isBalanced(text)) text = text.slice(0, -1).replace(sentenceEnd, '');
  return text;
}

function isBalanced(text: string): boolean {
  const count = (characters: RegExp) => text.match(characters)?.length ?? 0;
  return count(/[([{]/g) >= count(/[)\]}]/g);
}

/** Only what a reader can judge: an address with a name and a password before the host pretends to be another one. */
function safeUrl(text: string): URL | undefined {
  if (text.length > longest || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return isWeb && url.username === '' && url.password === '' ? url : undefined;
}

/** A message cut into plain text, links, and people who are called by name. */
export function textParts(text: string, origin: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let told = 0;
  for (const found of text.matchAll(address)) {
    const shown = trimmed(found[0]);
    const url = safeUrl(shown);
    if (url === undefined) continue;
    parts.push(...mentionParts(text.slice(told, found.index)));
    parts.push({ kind: 'link', text: shown, href: url.href, isHere: url.origin === origin });
    told = found.index + shown.length;
  }
  parts.push(...mentionParts(text.slice(told)));
  return parts;
}

function mentionParts(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let told = 0;
  for (const found of text.matchAll(MENTION)) {
    if (found.index > told) parts.push({ kind: 'text', text: text.slice(told, found.index) });
    parts.push({ kind: 'mention', text: found[0] });
    told = found.index + found[0].length;
  }
  if (told < text.length) parts.push({ kind: 'text', text: text.slice(told) });
  return parts;
}

const fewEmoji = /^(?:\p{RGI_Emoji}\s*){1,6}$/v;

/** A few emoji and nothing else: they are shown large. */
export const isEmojiOnly = (text: string) => text.length <= 100 && fewEmoji.test(text);

/** What the server takes: line breaks are the only control characters. */
export const cleanText = (text: string) =>
  text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/\t/g, ' ')
    .replace(/[^\P{Cc}\n]/gu, '')
    .trim();
