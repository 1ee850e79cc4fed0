import type { ChatMessage } from '@hvideo/protocol';
import type { Client } from '../client.ts';
import type { ChatStore } from './store.ts';
import type { ChatSurroundings, WebSocketClass } from './surroundings.ts';

export interface ChatOptions {
  readonly client: Pick<Client, 'baseUrl' | 'call' | 'authHeaders'>;
  /** Who is signed in. What is stored for one account is never sent as another. */
  readonly accountId: string;
  /** Of the socket; by default `/ws` of the client's server. */
  readonly url?: string;
  /** By default IndexedDB where there is one, and otherwise memory. */
  readonly store?: ChatStore;
  /** That of the package `ws`, where none is built in (Node before 22). Without any, requests carry. */
  readonly WebSocket?: WebSocketClass;
  readonly surroundings?: Partial<ChatSurroundings>;
  readonly limits?: Partial<ChatLimits>;
  /** `auto`: a socket, and requests while sockets do not get through. */
  readonly transport?: 'auto' | 'socket' | 'polling';
  /**
   * For programs that must miss nothing: messages are acknowledged when it has resolved, and come again (in this run or
   * the next) until then. It is called with the messages of one conversation in order of seq, one call at a time for
   * each conversation. When it rejects, it is called again later, with the same.
   */
  readonly handle?: (messages: readonly ChatMessage[]) => Promise<void>;
  /** Told of what goes wrong inside a listener, `handle` or the store. By default it is reported as an unhandled error. */
  readonly onError?: (error: unknown) => void;
}

/** All waits in milliseconds. */
export interface ChatLimits {
  /** From opening the socket to CONNECTED. */
  readonly connectMs: number;
  /** Both heart-beats: offered, and wanted. */
  readonly heartBeatMs: number;
  /** A message that has no receipt after so long: the connection is taken for dead. */
  readonly receiptMs: number;
  /** Sends are gathered for so long into one WebSocket message. */
  readonly gatherMs: number;
  /** Acknowledgements are gathered for so long. */
  readonly ackMs: number;
  /** Messages of one conversation on their way at once. */
  readonly maxInFlight: number;
  /** A message that was sent so often without a verdict has failed, until somebody sends it again. */
  readonly maxSendTries: number;
  /** Unsent messages in all; more are refused with `queue-full`. */
  readonly maxQueued: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** Connections begun within a minute; more wait. */
  readonly maxConnectsPerMinute: number;
  /** Sockets that failed in a row before requests take over. */
  readonly socketFailures: number;
  /** While polling, a socket is tried so often. */
  readonly socketRetryMs: number;
  readonly pollWaitSeconds: number;
  /** One request of ours, from sending it to its whole answer. */
  readonly requestMs: number;
  /** One read or write of the store; the chat goes on from memory then. */
  readonly storeMs: number;
  readonly pageSize: number;
  /** Messages in the window of a conversation; beyond, the far end is dropped. */
  readonly maxWindow: number;
  /** Conversations kept in memory while nobody looks at them. */
  readonly maxIdleConversations: number;
  /** A declared gap of up to so many messages is filled before what follows is handed over. */
  readonly maxGapFill: number;
}

export const defaultChatLimits: ChatLimits = {
  connectMs: 10_000,
  heartBeatMs: 20_000,
  receiptMs: 20_000,
  gatherMs: 4,
  ackMs: 200,
  maxInFlight: 32,
  maxSendTries: 12,
  maxQueued: 1_000,
  backoffBaseMs: 500,
  backoffMaxMs: 30_000,
  maxConnectsPerMinute: 20,
  socketFailures: 3,
  socketRetryMs: 60_000,
  pollWaitSeconds: 25,
  requestMs: 15_000,
  storeMs: 10_000,
  pageSize: 50,
  maxWindow: 500,
  maxIdleConversations: 20,
  maxGapFill: 1_000,
};

/** What can never be sent: `code` is `message-invalid`, `queue-full` or `closed`. */
export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: 'message-invalid' | 'queue-full' | 'closed';

  constructor(code: ChatError['code'], detail: string) {
    super(detail);
    this.code = code;
  }
}
