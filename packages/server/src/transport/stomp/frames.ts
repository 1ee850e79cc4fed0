import { encodeFrame, type StompHeaders, type StompVersion } from '@hvideo/protocol/stomp';
import type { Receipt } from '../../features/chat/commit/index.ts';
import type { Notice, Run } from '../../features/chat/delivery/index.ts';
import { AppError, type ErrorCode } from '../../kernel/errors.ts';
import type { StoredMessage } from '../../ports/message-store/port.ts';
import { problemDocument } from '../http/problems.ts';
import type { Style } from './styles.ts';

export const QUEUES = {
  messages: '/user/queue/messages',
  events: '/user/queue/events',
  replies: '/user/queue/replies',
  errors: '/user/queue/errors',
} as const;
export type Queue = keyof typeof QUEUES;

let lastMs = 0;
let lastTime = '';

/** Most of what is said at one time is said in the same millisecond. */
function timeOf(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastTime = new Date(ms).toISOString().replaceAll(':', '\\c');
  }
  return lastTime;
}

/** 1.0 has no escapes, and none of its clients may read a colon in a value otherwise. */
const timeFor = (ms: number, version: StompVersion) =>
  version === '1.0' ? new Date(ms).toISOString() : timeOf(ms);

/** What an ACK names: 1.2 by the header `ack`, before that by `message-id`. Everybody is given the same. */
const ackOf = (conversationId: string, seq: number) => `${conversationId}-${seq}`;

/** The conversation and seq that an ACK names; undefined when it is not one of ours. */
export function readAck(id: string): { conversationId: string; seq: number } | undefined {
  const dash = id.indexOf('-');
  const seq = Number(id.slice(dash + 1));
  return dash > 0 && Number.isSafeInteger(seq) ? { conversationId: id.slice(0, dash), seq } : undefined;
}

function ackHeader({ isAcknowledged, version }: Style, conversationId: string, seq: number): string {
  // Of a repeated header the first counts: for older clients that is what they acknowledge by.
  if (version !== '1.2') return `message-id:${ackOf(conversationId, seq)}\n`;
  return isAcknowledged ? `ack:${ackOf(conversationId, seq)}\n` : '';
}

/** The text of all messages of a run, one frame after another. Their headers are digits: nothing is to be escaped. */
export function runText(run: Run, style: Style): string {
  let text = '';
  for (const message of run.messages) text += messageText(message, style);
  return text;
}

function messageText(message: StoredMessage, style: Style): string {
  const { conversationId, seq, id, senderId, deviceId, clientSeq, quoteSeq, timestampMs, body } = message;
  return (
    `${style.prefix}${ackHeader(style, conversationId, seq)}destination:${QUEUES.messages}\n` +
    `message-id:${id}\nconversation:${conversationId}\nseq:${seq}\nsender:${senderId}\n` +
    (deviceId === null ? '' : `sender-device:${deviceId}\n`) +
    (clientSeq === null ? '' : `client-seq:${clientSeq}\n`) +
    (quoteSeq === null ? '' : `quote:${quoteSeq}\n`) +
    `timestamp:${timeFor(timestampMs, style.version)}\n` +
    `content-type:application/json\ncontent-length:${Buffer.byteLength(body)}\n\n${body}\0`
  );
}

export function gapText(style: Style, conversationId: string, fromSeq: number, toSeq: number): string {
  const body = JSON.stringify({ kind: 'gap', conversationId, fromSeq, toSeq });
  return (
    `${style.prefix}${ackHeader(style, conversationId, toSeq)}destination:${QUEUES.messages}\n` +
    `message-id:${ackOf(conversationId, toSeq)}\ntype:gap\nconversation:${conversationId}\n` +
    `from-seq:${fromSeq}\nto-seq:${toSeq}\n` +
    `content-type:application/json\ncontent-length:${body.length}\n\n${body}\0`
  );
}

export function noticeText(notice: Notice, style: Style): string {
  return jsonText(style, 'events', JSON.stringify(notice.content), []);
}

/** A MESSAGE of another queue than that of messages; it is not acknowledged. */
export function jsonText(style: Style, queue: Queue, body: string, headers: StompHeaders): string {
  const all = ['destination', QUEUES[queue], 'message-id', nextMessageId(), ...headers];
  if (!headers.includes('content-type')) all.push('content-type', 'application/json');
  // What stands before the prefix's end is in the prefix.
  return style.prefix + encodeFrame('MESSAGE', all, body, style.version).slice('MESSAGE\n'.length);
}

let messages = 0;
function nextMessageId(): string {
  messages += 1;
  return `n-${messages}`;
}

export function receiptText(receiptId: string, version: StompVersion): string {
  return encodeFrame('RECEIPT', ['receipt-id', receiptId], '', version);
}

const isPlain = (text: string) => /^[\w.-]*$/.test(text);

/** The answer to a SEND, when it is durable. */
export function sendReceiptText(receiptId: string, receipt: Receipt, version: StompVersion): string {
  const { conversationId, id, isDuplicate, seq, timestampMs } = receipt;
  if (!isPlain(receiptId)) {
    const headers = ['receipt-id', receiptId, 'message-id', id, 'conversation', conversationId];
    headers.push('seq', String(seq), 'timestamp', new Date(timestampMs).toISOString());
    if (isDuplicate) headers.push('duplicate', 'true');
    return encodeFrame('RECEIPT', headers, '', version);
  }
  return (
    `RECEIPT\nreceipt-id:${receiptId}\nmessage-id:${id}\nconversation:${conversationId}\nseq:${seq}\n` +
    `timestamp:${timeFor(timestampMs, version)}\n${isDuplicate ? 'duplicate:true\n' : ''}\n\0`
  );
}

/** What was refused of a frame, as a problem document. */
export interface Refusal {
  readonly body: string;
  readonly headers: StompHeaders;
}

export function refusalOf(error: AppError, headers: StompHeaders): Refusal {
  const all = ['content-type', 'application/problem+json', 'code', error.code, ...headers];
  const { extras, retryAfterSeconds } = error;
  if (extras?.expectedClientSeq !== undefined)
    all.push('expected-client-seq', String(extras.expectedClientSeq));
  if (typeof extras?.expectedPreId === 'string') all.push('expected-pre-id', extras.expectedPreId);
  if (retryAfterSeconds !== undefined) all.push('retry-after', String(retryAfterSeconds));
  return { body: JSON.stringify(problemDocument(error)), headers: all };
}

/** After it the connection is closed. `code` is stable, as `message` of the frame and in its body. */
export function errorText(
  code: string,
  detail: string | undefined,
  receiptId: string | undefined,
  version: StompVersion,
): string {
  const headers = ['message', code, 'content-type', 'application/json'];
  if (receiptId !== undefined) headers.push('receipt-id', receiptId);
  return encodeFrame('ERROR', headers, JSON.stringify({ code, ...(detail && { detail }) }), version);
}

export const problem = (code: ErrorCode, detail?: string, retryAfterSeconds?: number) =>
  new AppError(code, {
    ...(detail !== undefined && { detail }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
