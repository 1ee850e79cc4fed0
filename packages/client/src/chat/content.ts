import type { MessageContent } from '@hvideo/protocol';
import { MESSAGE_MAX_BYTES, messageBody, readContent } from '@hvideo/protocol/message';
import { ChatError } from './options.ts';

/** As the server stores it: so that what is shown while it is sent is what others will see. */
export function normalised(content: MessageContent): MessageContent {
  const read = readContent(content);
  if (read === undefined) throw new ChatError('message-invalid', 'This is nothing that can be said');
  if (new TextEncoder().encode(messageBody(read)).length > MESSAGE_MAX_BYTES) {
    throw new ChatError('message-invalid', 'The message is too large');
  }
  return read;
}

/** Whether two values of JSON are the same, in whatever order their names stand. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const fieldsOfA = Object.entries(a);
  const fieldsOfB = new Map<string, unknown>(Object.entries(b));
  return (
    fieldsOfA.length === fieldsOfB.size &&
    fieldsOfA.every(([name, value]) => fieldsOfB.has(name) && isSame(value, fieldsOfB.get(name)))
  );
}
