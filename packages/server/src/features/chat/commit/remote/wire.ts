import { AppError, type ErrorCode, type ErrorDetails, errorRegistry } from '../../../../kernel/errors.ts';
import { MAX_MESSAGE_BYTES } from '../../../../ports/bus/port.ts';
import type { PreparedSend } from '../prepare.ts';
import type { Receipt } from '../types.ts';

/** Who owns conversations, and who wants to know. */
export interface OwnerNews {
  readonly from: string;
  /**
   * `here`: a sign of life. `deaf`: it may have missed what was sent to it. `leaving`: it takes nothing new. `who`: from one that
   * looks for owners.
   */
  readonly kind: 'here' | 'deaf' | 'leaving' | 'who';
}

/**
 * From a process to an owner, on the owner’s topic; without sends, it asks for a sign. Numbered for each pair: what comes after a hole is not looked at, so that an
 * owner never sees a send without those before it. Numbers begin anew with each series, which has everything unanswered in it.
 */
export interface Sends {
  readonly from: string;
  readonly series: number;
  readonly number: number;
  readonly sends: readonly (readonly [id: number, send: PreparedSend])[];
}

/** Back, numbered as well, so that one that is missing is missed. */
export interface Answers {
  readonly from: string;
  /** Grows when the owner had forgotten who asks: its numbers begin anew. */
  readonly life: number;
  readonly number: number;
  readonly answers: readonly Answer[];
  readonly missed?: Missed | undefined;
}

/** What came after this number of this series, in series below `before`, was never looked at, and never will be. */
export interface Missed {
  readonly series: number;
  readonly number: number;
  readonly before: number;
}

export type Answer =
  | readonly [id: number, seq: number, messageId: string, timestampMs: number, isDuplicate: boolean]
  | readonly [id: number, refusal: Refusal];

export type Refusal = { readonly code: ErrorCode } & Omit<ErrorDetails, 'cause'>;

export const OWNERS = 'chat-owners';
export const sendsTopic = (owner: string): string => `chat-sends:${owner}`;
export const answersTopic = (asker: string): string => `chat-answers:${asker}`;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const encode = (what: OwnerNews | Sends | Answers): Uint8Array => encoder.encode(JSON.stringify(what));
/** Only nodes write here: what comes is what they sent. */
export const decodeNews = (bytes: Uint8Array): OwnerNews => JSON.parse(decoder.decode(bytes));
export const decodeSends = (bytes: Uint8Array): Sends => JSON.parse(decoder.decode(bytes));
export const decodeAnswers = (bytes: Uint8Array): Answers => JSON.parse(decoder.decode(bytes));

/** What a send takes at most: a character is up to six octets of JSON. */
export const sizeOf = ({ body }: PreparedSend): number => 600 + body.length * 6;
export const ROOM_BYTES = MAX_MESSAGE_BYTES - 1_000;
/** A refusal is the longest; none is as long as that. */
export const ANSWERS_AT_ONCE = 1_000;

export function storedAnswer(id: number, { seq, id: messageId, timestampMs, isDuplicate }: Receipt): Answer {
  return [id, seq, messageId, timestampMs, isDuplicate];
}

export function refusedAnswer(id: number, error: AppError): Answer {
  const { code, detail, extras, fields, retryAfterSeconds } = error;
  return [
    id,
    {
      code,
      ...(detail !== undefined && { detail }),
      ...(fields && { fields }),
      ...(extras && { extras }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    },
  ];
}

export function errorOf({ code, ...details }: Refusal): AppError {
  // A later release may know more.
  return new AppError(code in errorRegistry ? code : 'internal', details);
}
