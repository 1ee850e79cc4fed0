import type {
  ChatMessage,
  Conversation,
  conversations,
  InputOf,
  Member,
  MessageContent,
} from '@hvideo/protocol';

/** What can be waited for can be abandoned. */
export interface WaitOptions {
  readonly signal?: AbortSignal;
}

/** Calls the listener after each change until the returned function is called. */
export type Subscribe = (listener: () => void) => () => void;

/**
 * Something that changes, in a form for `useSyncExternalStore`: between two changes `snapshot()` answers the same object,
 * and what did not change in a new snapshot (a message, a member) is the same object as before.
 */
export interface Observable<Snapshot> {
  readonly subscribe: Subscribe;
  readonly snapshot: () => Snapshot;
}

/** A chat of one account on one device. It connects by itself and stays connected until it is closed. */
export interface Chat {
  readonly accountId: string;
  readonly status: Observable<ChatStatus>;
  readonly conversations: ConversationList;
  /** The same object for the same id, while it is looked at and for some while after. */
  conversation(id: string): ChatConversation;
  /** Begins a conversation, or finds the direct one that there is. */
  create(body: CreateConversation, options?: WaitOptions): Promise<Conversation>;
  /** Everything that happens, for sounds, badges and logs. Answers how to stop listening. */
  on(listener: (event: ChatNotice) => void): () => void;
  /** Tries now rather than after the wait: for a button "connect". */
  reconnect(): void;
  /** Messages of the account that are not sent or have failed, in this chat and in what the store holds of others. */
  countUnsent(): Promise<number>;
  /** Resolves when every message of this chat is sent or has failed. */
  flush(options?: WaitOptions): Promise<void>;
  /** Ends everything; what is not sent yet stays in the store, unless it is erased. Idempotent. */
  close(options?: CloseOptions): Promise<void>;
}

export interface CloseOptions {
  /** For whoever signs out: nothing of the account stays in the store, whichever tab it is of. */
  readonly erase?: boolean;
}

export type CreateConversation = InputOf<typeof conversations.create>['body'];

export type ChatPhase =
  /** No way to the server yet, but on it. */
  | 'connecting'
  /** Over a socket. */
  | 'online'
  /** Sockets do not get through: over plain requests. */
  | 'polling'
  /** The next try is at `retryAtMs`. */
  | 'waiting'
  /** The device has no network. */
  | 'offline'
  /** For good, see `failure`: the login ended, or the server wants us no more. */
  | 'stopped'
  | 'closed';

export interface ChatStatus {
  readonly phase: ChatPhase;
  readonly retryAtMs: number | null;
  /** Why it is not connected. */
  readonly failure: ChatFailure | null;
  /** Messages that wait to be sent or for their receipt. */
  readonly pending: number;
  /** What the server calls this device; null until it was connected. */
  readonly deviceId: string | null;
  /** False: the store failed, and what is not sent is lost with the page. */
  readonly isStored: boolean;
}

/** `code` is one of the server's, or one of ours: `network`, `queue-full`, `closed`. */
export interface ChatFailure {
  readonly code: string;
  readonly detail: string | null;
}

export interface ConversationList extends Observable<ConversationsSnapshot> {
  /** The next page of older conversations; resolves when it is there. */
  loadMore(options?: WaitOptions): Promise<void>;
  /** Reads the list anew. */
  refresh(options?: WaitOptions): Promise<void>;
}

export interface ConversationsSnapshot {
  /** The one with the newest message first, one's own unsent ones included. */
  readonly items: readonly ConversationSummary[];
  readonly isLoaded: boolean;
  readonly isLoading: boolean;
  readonly hasMore: boolean;
  /** Conversations that hold something unread, as far as they are loaded. */
  readonly unreadConversations: number;
  /** Why the last load failed. */
  readonly failure: ChatFailure | null;
}

export interface ConversationSummary extends Omit<Conversation, 'lastMessage'> {
  /** The newest, possibly one of one's own that is still on its way. */
  readonly lastMessage: ViewMessage | null;
  readonly pending: number;
  readonly failed: number;
}

/** `delivered` and `read`: by all others. In a group of more than 200 it stays at `sent`. */
export type SendState = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

export interface ViewMessage {
  /** Stays the same while the message goes from `sending` to `read`: for React's `key`. */
  readonly key: string;
  readonly conversationId: string;
  /** Null until the server has it. */
  readonly seq: number | null;
  readonly id: string | null;
  readonly senderId: string;
  readonly isOwn: boolean;
  readonly content: ChatMessage['content'];
  /** Given by the server; until then by this device's clock. */
  readonly timestamp: string;
  readonly quote: ViewQuote | null;
  /** Of one's own messages; null for those of others. */
  readonly state: SendState | null;
  /** With `failed`: why. */
  readonly failure: ChatFailure | null;
}

/** A quoted message: its seq, or its key while it has none. */
export interface ViewQuote {
  readonly seq: number | null;
  readonly key: string | null;
}

/** A seq, or a message as it is shown (one's own unsent ones too). */
export type QuoteTarget = number | ViewMessage;

export interface SendOptions {
  readonly quote?: QuoteTarget;
}

/**
 * One conversation as it is looked at: a window of its messages that grows at both ends and drops what is far from where
 * it last grew. It is kept up to date while somebody is subscribed; the first subscriber makes it load.
 */
export interface ChatConversation extends Observable<ConversationSnapshot> {
  readonly id: string;
  /** Extends the window. The page is mostly there already, fetched ahead. */
  loadOlder(options?: WaitOptions): Promise<void>;
  loadNewer(options?: WaitOptions): Promise<void>;
  /** Puts the window around a message, such as a quoted one. */
  jumpTo(seq: number, options?: WaitOptions): Promise<void>;
  jumpToNewest(options?: WaitOptions): Promise<void>;
  /** One message, in the window or not: to show what is quoted. Null when it cannot be seen. */
  find(seq: number, options?: WaitOptions): Promise<ViewMessage | null>;
  /**
   * Shows the message at once as `sending` and sends it when it can. Throws `ChatError` when it can never be sent: code
   * `message-invalid`, `queue-full` or `closed`.
   */
  send(content: MessageContent, options?: SendOptions): ViewMessage;
  /** Sends a failed message again, as a new one at the end. */
  retry(key: string): void;
  /** Gives a failed message up. */
  discard(key: string): void;
  /** Everything up to this message was read; by default up to the newest that is here. Told to the server soon. */
  markRead(seq?: number): void;
}

export interface ConversationSnapshot {
  readonly conversation: ConversationSummary | null;
  /** In order of seq; then those on their way. Failed ones stand where they were sent. */
  readonly messages: readonly ViewMessage[];
  readonly isLoaded: boolean;
  readonly hasOlder: boolean;
  /** The window does not reach the newest message: it was moved, or cut. */
  readonly hasNewer: boolean;
  readonly isLoadingOlder: boolean;
  readonly isLoadingNewer: boolean;
  /** Everybody with their marks, in conversations of up to 200; otherwise empty. */
  readonly members: readonly Member[];
  /** What oneself has read, on any device. */
  readonly readSeq: number;
  /** Why the last load failed. `not-found`: one is no member (any more). */
  readonly failure: ChatFailure | null;
}

/** What `Chat.on` tells. Messages of a conversation come in order of seq, each once for each run of the program. */
export type ChatNotice =
  | { readonly type: 'status'; readonly status: ChatStatus }
  /** New in a conversation, oneself on other devices included; not what is read as history. */
  | { readonly type: 'messages'; readonly conversationId: string; readonly messages: readonly ChatMessage[] }
  /** Not handed over, because there was too much of it; it can be read as history. Both inclusive. */
  | {
      readonly type: 'gap';
      readonly conversationId: string;
      readonly fromSeq: number;
      readonly toSeq: number;
    }
  /** A message of this device has its place. */
  | { readonly type: 'sent'; readonly message: ViewMessage }
  | { readonly type: 'failed'; readonly message: ViewMessage }
  | { readonly type: 'joined'; readonly conversationId: string }
  | { readonly type: 'left'; readonly conversationId: string }
  /** Oneself has read so far, on some device. */
  | { readonly type: 'read'; readonly conversationId: string; readonly seq: number }
  | {
      readonly type: 'mark';
      readonly conversationId: string;
      readonly accountId: string;
      readonly readSeq: number;
      readonly deliveredSeq: number;
    };
