// Imports no schema but as types: clients that are sent over a network carry this part of the protocol with them.
import type { MessageContent } from './chat.ts';
import { IMAGE_URL_MAX, isImageUrl, isMessageText } from './message-text.ts';

export * from './message-text.ts';

/**
 * The text that a message is sent and stored as: over a socket the body of SEND, by REST made of the request. It is one and
 * the same for both, so that a message repeated on the other way is no other message.
 */
export function messageBody(content: MessageContent): string {
  switch (content.type) {
    case 'text':
      return JSON.stringify({ type: 'text', text: content.text });
    case 'image': {
      const { url, width, height } = content;
      return JSON.stringify({ type: 'image', url, width, height });
    }
    case 'video':
      return JSON.stringify({ type: 'video', videoId: content.videoId });
    case 'custom':
      return JSON.stringify({ type: 'custom', name: content.name, data: content.data });
  }
}

const chatName = /^[A-Za-z0-9_-]{1,64}$/;
const largestSide = 20_000;

/** A value of JSON as what people can say, without fields that are none of it; undefined: it is nothing of the kind. */
export function readContent(value: unknown): MessageContent | undefined {
  if (!isRecord(value)) return undefined;
  const { type, text, url, width, height, videoId, name, data } = value;
  switch (type) {
    case 'text':
      return typeof text === 'string' && isMessageText(text) ? { type, text } : undefined;
    case 'image':
      return isUrl(url) && isSide(width) && isSide(height) ? { type, url, width, height } : undefined;
    case 'video':
      return isId(videoId) ? { type, videoId } : undefined;
    case 'custom':
      return typeof name === 'string' && chatName.test(name) && isJson(data)
        ? { type, name, data }
        : undefined;
    default:
      return undefined;
  }
}

type Json = Extract<MessageContent, { type: 'custom' }>['data'];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isUrl = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= IMAGE_URL_MAX && isImageUrl(value);

const isSide = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= largestSide;

const isId = (value: unknown): value is string =>
  typeof value === 'string' && /^[1-9][0-9]{0,18}$/.test(value) && BigInt(value) <= 9223372036854775807n;

function isJson(value: unknown): value is Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isRecord(value) && Object.values(value).every(isJson);
}
