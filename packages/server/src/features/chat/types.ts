import type { ChatMark, User } from '@hvideo/protocol';
import type { StoredEvent } from '../../ports/conversation-store/port.ts';
import type { StoredMessage } from '../../ports/message-store/port.ts';

/** What chat needs of the features of accounts and graph. */
export interface ChatPeople {
  /** Unknown ids are absent; at most 1,000 at once. */
  cards(ids: readonly string[]): Promise<ReadonlyMap<string, User>>;
  /** Those of the ids who are there and not suspended. */
  reachable(ids: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Whoever brings what was committed to those who are there: called in the turn of the commit, must not fail. */
export interface Told {
  committed(messages: readonly StoredMessage[]): void;
  events(events: readonly StoredEvent[]): void;
  mark(mark: ChatMark): void;
  /** Something may have been stored there that was not told. */
  suspect(conversationIds: readonly string[]): void;
  /** The same, and these may have come into it or left it. */
  suspectMembers(conversationId: string, accountIds: readonly string[]): void;
}

/** Tells when there may be something new for an account. A hint: it may come for nothing, or be lost. */
export interface News {
  /** Resolves at the next hint from the call on; by an abort it ends either way. */
  waitForNews(accountId: string, signal: AbortSignal): Promise<void>;
}
