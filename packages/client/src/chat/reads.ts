import {
  type ChatMessage,
  type Conversation,
  chat,
  conversations,
  type Member,
  type Page,
} from '@hvideo/protocol';
import type { ChatLimits, ChatOptions } from './options.ts';

/** What is read over plain requests. Each has a deadline; the client retries within it. */
export class Reads {
  readonly #client: ChatOptions['client'];
  readonly #limits: ChatLimits;
  readonly #signal: AbortSignal;

  /** `signal` ends all of them. */
  constructor(client: ChatOptions['client'], limits: ChatLimits, signal: AbortSignal) {
    this.#client = client;
    this.#limits = limits;
    this.#signal = signal;
  }

  messages(
    id: string,
    query: { readonly afterSeq?: number; readonly beforeSeq?: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<{ items: ChatMessage[]; headSeq: number }> {
    return this.#client.call(conversations.messages, { params: { id }, query }, this.#options(signal));
  }

  list(cursor: string | null, limit: number, signal?: AbortSignal): Promise<Page<Conversation>> {
    const query = { limit, ...(cursor === null ? {} : { cursor }) };
    return this.#client.call(conversations.list, { query }, this.#options(signal));
  }

  conversation(id: string): Promise<Conversation> {
    return this.#client.call(conversations.get, { params: { id } }, this.#options());
  }

  members(id: string, cursor: string | null, signal?: AbortSignal): Promise<Page<Member>> {
    const query = { limit: 100, ...(cursor === null ? {} : { cursor }) };
    return this.#client.call(conversations.members, { params: { id }, query }, this.#options(signal));
  }

  markRead(id: string, seq: number): Promise<void> {
    return this.#client.call(conversations.read, { params: { id }, body: { seq } }, this.#options());
  }

  /** What happened since; for a device that has a socket for the rest. */
  sync(instance: string, pts: number | undefined) {
    const query = { device: instance, ...(pts === undefined ? {} : { pts }) };
    return this.#client.call(chat.sync, { query }, this.#options());
  }

  #options(signal?: AbortSignal) {
    return {
      signal: signal === undefined ? this.#signal : AbortSignal.any([signal, this.#signal]),
      limits: { attemptMs: this.#limits.requestMs, deadlineMs: 2 * this.#limits.requestMs },
    };
  }
}
