import { isMessageText, MESSAGE_MAX_BYTES, MessageContent } from '@hvideo/protocol';

/** Deeper than what anybody means, and far from the end of the stack. */
const MAX_DEPTH = 32;

/** Members that each type has: bodies are stored as they were sent, so nothing else may be in them. */
const members: Readonly<Record<string, number>> = { image: 4, video: 2, custom: 3 };

/** Whether the text is what may be said. Most is plain text, which is looked at by hand. */
export function isFitBody(body: string): boolean {
  // A character has up to three bytes here, two of a pair four: most bodies need no counting.
  if (body.length > MESSAGE_MAX_BYTES) return false;
  if (body.length * 3 > MESSAGE_MAX_BYTES && Buffer.byteLength(body) > MESSAGE_MAX_BYTES) return false;
  const content = parsed(body);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return false;
  const { type, text } = content as { type?: unknown; text?: unknown };
  if (type === 'text') return typeof text === 'string' && sizeOf(content) === 2 && isMessageText(text);
  if (typeof type !== 'string' || sizeOf(content) !== members[type]) return false;
  return isPlain(content, MAX_DEPTH) && MessageContent.safeParse(content).success;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function sizeOf(content: object): number {
  let size = 0;
  for (const _ in content) size += 1;
  return size;
}

/** No NUL and no half of a pair, in names neither: escaped in JSON they would pass until somebody reads them. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(([key, each]) => isPlain(key, 0) && isPlain(each, depth - 1));
}
