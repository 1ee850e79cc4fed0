import type { ChatEvent, ChatMark, ChatMessage } from '@hvideo/protocol';
import type { Uplink } from './outgoing.ts';
import type { ChatFailure } from './types.ts';

/** One thing that the server handed to this device. Each is acknowledged by `done`, once it needs not come again. */
export type Delivery =
  | { readonly kind: 'message'; readonly message: ChatMessage; readonly done: () => void }
  | {
      readonly kind: 'gap';
      readonly conversationId: string;
      /** Both inclusive. */
      readonly fromSeq: number;
      readonly toSeq: number;
      readonly done: () => void;
    };

export type PushedEvent =
  | ChatEvent
  | ChatMark
  /** There is more than is sent. */
  | { readonly kind: 'head'; readonly conversationId: string; readonly seq: number }
  /** To any of the alternatives, which are addresses of sockets; from a server of old without them. */
  | { readonly kind: 'move'; readonly withinMs: number; readonly alternatives?: readonly string[] };

/** A way to the server, from the moment that it works until it ends. */
export interface Transport extends Uplink {
  close(): void;
}

export interface TransportEvents {
  onReady(transport: Transport): void;
  onDelivery(delivery: Delivery): void;
  onEvent(event: PushedEvent): void;
  /** What was missed may be more than was told. */
  onSynced(pts: number, tooLong: boolean): void;
  /** The last call. */
  onEnd(end: TransportEnd): void;
}

export interface TransportEnd {
  readonly failure: ChatFailure;
  /** Nothing will come of another try. */
  readonly isFinal: boolean;
  readonly retryAfterMs?: number | undefined;
}
