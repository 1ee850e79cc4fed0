import type { MessageContent } from '@hvideo/protocol';
import type { ChatFailure } from './types.ts';

/** A message of one's own from the moment it is written until it has its place, or is given up. */
export interface Outgoing {
  /** Stays the same whatever becomes of it. */
  readonly key: string;
  /** Orders the messages of one instance. */
  order: number;
  readonly conversationId: string;
  readonly content: MessageContent;
  /** JSON of the content, fixed: the server compares it when it gets the same number again. */
  readonly body: string;
  readonly writtenAtMs: number;
  /** What is not above it in the conversation cannot be this message. */
  baseSeq: number;
  chain: string;
  clientSeq: number;
  /** As it is sent; fixed like the body as long as chain and number are. */
  quote: string | null;
  readonly quoteSeq: number | null;
  /** The key of a quoted message that had no seq when this was written. */
  readonly quoteKey: string | null;
  failure: ChatFailure | null;
  /** The store has it, so that it may be sent. */
  isKept: boolean;
  /** The server may have it, though nothing was heard of it. With a failure: it was given up without a verdict. */
  mayBeStored: boolean;
  /** Sends in vain, in this run. */
  tries: number;
}

/** Numbers the messages of this device in one conversation, see the design of the chat. */
export interface Chain {
  readonly name: string;
  /** The device that its numbers belong to; null until it is used. */
  device: string | null;
  nextSeq: number;
  /** Of the newest message with a verdict; 0: none. */
  lastSeq: number;
  /** Its id, which the next one asserts; `0`: there is none, or it was refused. */
  lastId: string;
  /** Of the newest message that this device is known to have in the conversation, earlier chains included. */
  topSeq: number;
}

export interface Receipt {
  readonly seq: number;
  readonly id: string;
  readonly timestamp: string;
}

/** What the server answers to one send, or what is made of its silence. */
export type Outcome =
  | { readonly kind: 'stored'; readonly receipt: Receipt }
  | Refusal
  /** The connection ended before the answer. */
  | { readonly kind: 'unknown' };

export interface Refusal {
  readonly kind: 'refused';
  readonly failure: ChatFailure;
  /** The same send may succeed later. */
  readonly isPassing: boolean;
  readonly retryAfterMs: number | undefined;
  readonly expectedClientSeq: number | undefined;
}

/** Where sends go: a socket, or requests. */
export interface Uplink {
  readonly deviceId: string;
  /** Messages of one conversation on their way at once. */
  readonly maxInFlight: number;
  /** Never throws; the outcome is told later, exactly once, unless `close` comes first. */
  send(message: Outgoing, preId: string | undefined, onOutcome: (outcome: Outcome) => void): void;
}
