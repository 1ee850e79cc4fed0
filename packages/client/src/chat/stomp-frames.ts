import type { ChatMessage } from '@hvideo/protocol';
import { header, type StompFrame } from '@hvideo/protocol/stomp';
import { isPassingStatus } from './failures.ts';
import type { Outcome, Outgoing } from './outgoing.ts';
import type { PushedEvent } from './transport.ts';
import type { ChatFailure } from './types.ts';

/** The server did not speak as agreed. */
export class UnexpectedFrame extends Error {
  override readonly name = 'UnexpectedFrame';
}

export function sendHeaders(message: Outgoing, preId: string | undefined, receipt: string): string[] {
  return [
    'destination',
    `/app/conversations/${message.conversationId}`,
    'receipt',
    receipt,
    'chain',
    message.chain,
    'client-seq',
    String(message.clientSeq),
    ...(preId === undefined ? [] : ['pre-id', preId]),
    ...(message.quote === null ? [] : ['quote', message.quote]),
    'content-type',
    'application/json',
  ];
}

export function readReceipt(frame: StompFrame): Outcome {
  return {
    kind: 'stored',
    receipt: {
      seq: readNumber(frame, 'seq'),
      id: read(frame, 'message-id'),
      timestamp: readTimestamp(frame),
    },
  };
}

export function readMessage(frame: StompFrame): ChatMessage {
  const clientSeq = header(frame, 'client-seq');
  const quote = header(frame, 'quote');
  return {
    conversationId: read(frame, 'conversation'),
    seq: readNumber(frame, 'seq'),
    id: read(frame, 'message-id'),
    senderId: read(frame, 'sender'),
    senderDevice: header(frame, 'sender-device') || null,
    clientSeq: clientSeq ? Number(clientSeq) : null,
    quote: quote ? Number(quote) : null,
    timestamp: readTimestamp(frame),
    content: readJson(frame),
  };
}

export function readGap(frame: StompFrame): { conversationId: string; fromSeq: number; toSeq: number } {
  return {
    conversationId: read(frame, 'conversation'),
    fromSeq: readNumber(frame, 'from-seq'),
    toSeq: readNumber(frame, 'to-seq'),
  };
}

export function readEvent(frame: StompFrame): PushedEvent {
  return readJson(frame);
}

/** A refusal from the queue of errors. */
export function readRefusal(frame: StompFrame): Outcome {
  const problem: { status?: number; retryAfter?: number } = readJson(frame);
  const expected = header(frame, 'expected-client-seq');
  const retryAfter = Number(header(frame, 'retry-after'));
  return {
    kind: 'refused',
    failure: readFailure(frame),
    isPassing: isPassingStatus(problem.status ?? 500),
    retryAfterMs: retryAfter > 0 ? retryAfter * 1000 : undefined,
    expectedClientSeq: expected ? Number(expected) : undefined,
  };
}

/** What a problem document, or the `message` of an ERROR frame, says. */
export function readFailure(frame: StompFrame): ChatFailure {
  let problem: { code?: unknown; detail?: unknown } = {};
  try {
    problem = JSON.parse(frame.text) ?? {};
  } catch {
    // Words for people: the header has the code.
  }
  const code = typeof problem.code === 'string' ? problem.code : (header(frame, 'message') ?? 'protocol');
  return { code, detail: typeof problem.detail === 'string' ? problem.detail : null };
}

function read(frame: StompFrame, name: string): string {
  const value = header(frame, name);
  if (!value) throw new UnexpectedFrame(`${frame.command} without ${name}`);
  return value;
}

function readNumber(frame: StompFrame, name: string): number {
  const value = Number(read(frame, name));
  if (!Number.isSafeInteger(value)) throw new UnexpectedFrame(`${name} is no number`);
  return value;
}

/** RFC 3339, or milliseconds since 1970. */
function readTimestamp(frame: StompFrame): string {
  const value = read(frame, 'timestamp');
  return /^\d+$/.test(value) ? new Date(Number(value)).toISOString() : value;
}

/** The server builds its bodies from the same schemas, so they are believed rather than checked again. */
function readJson<T>(frame: StompFrame): T {
  try {
    return JSON.parse(frame.text);
  } catch (error) {
    throw new UnexpectedFrame(`${frame.command} without JSON`, { cause: error });
  }
}
