import type { ChatMessage } from '@hvideo/protocol';
import { ApiError } from '../errors.ts';
import type { Reads } from './reads.ts';
import { Stream } from './stream.ts';
import type { Delivery } from './transport.ts';

export interface InboxHost {
  readonly reads: Reads;
  readonly maxGapFill: number;
  isSending(conversationId: string): boolean;
  /** The program's own handling, if it has one. */
  readonly handle: ((messages: readonly ChatMessage[]) => Promise<void>) | undefined;
  onMessages(conversationId: string, messages: readonly ChatMessage[]): void;
  onGap(conversationId: string, fromSeq: number, toSeq: number): void;
  setTimer(ms: number, callback: () => void): () => void;
  backoffMs(failures: number): number;
  onError(error: unknown): void;
}

/** Conversations left that are remembered. */
const maxLeft = 1_000;
/** As many as the server gives at once. */
const historyPage = 200;

/** What is delivered, in one stream for each conversation. */
export class Inbox {
  readonly #host: InboxHost;
  readonly #streams = new Map<string, Stream>();
  /** How far those had come that were left. */
  readonly #left = new Map<string, number>();
  #isClosed = false;

  constructor(host: InboxHost) {
    this.#host = host;
  }

  deliver(delivery: Delivery): void {
    if (this.#isClosed) return;
    const id = delivery.kind === 'message' ? delivery.message.conversationId : delivery.conversationId;
    this.#stream(id).deliver(delivery);
  }

  own(message: ChatMessage): void {
    if (!this.#isClosed) this.#stream(message.conversationId).own(message.seq);
  }

  /** One is no member any more. */
  leave(conversationId: string): void {
    const stream = this.#streams.get(conversationId);
    if (stream === undefined) return;
    stream.close();
    this.#streams.delete(conversationId);
    // It may have been told already what is said after coming back.
    this.#left.set(conversationId, stream.position ?? 0);
    const [oldest] = this.#left.keys();
    if (this.#left.size > maxLeft && oldest !== undefined) this.#left.delete(oldest);
  }

  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  #stream(id: string): Stream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const host = this.#host;
    const stream: Stream = new Stream({
      maxGapFill: host.maxGapFill,
      handedOverSeq: this.#left.get(id) ?? 0,
      readHistory: (afterSeq) => this.#readHistory(id, afterSeq),
      isSending: () => host.isSending(id),
      handOver: (messages) => this.#handOver(id, messages),
      onGap: (fromSeq, toSeq) => host.onGap(id, fromSeq, toSeq),
      setTimer: (ms, callback) => host.setTimer(ms, callback),
      backoffMs: (failures) => host.backoffMs(failures),
      onError: (error) => host.onError(error),
    });
    this.#streams.set(id, stream);
    return stream;
  }

  async #readHistory(id: string, afterSeq: number): Promise<readonly ChatMessage[] | null> {
    try {
      const { items } = await this.#host.reads.messages(id, { afterSeq, limit: historyPage });
      return items;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'not-found') return null;
      throw error;
    }
  }

  #handOver(id: string, messages: readonly ChatMessage[]): Promise<void> | undefined {
    const { handle } = this.#host;
    if (handle === undefined) {
      this.#host.onMessages(id, messages);
      return undefined;
    }
    return this.#handle(handle, messages).then(() => this.#host.onMessages(id, messages));
  }

  /** Until it succeeds, or the chat is closed: then it is not done, and the server gives the messages again. */
  async #handle(
    handle: (messages: readonly ChatMessage[]) => Promise<void>,
    messages: readonly ChatMessage[],
  ): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      try {
        await handle(messages);
        return;
      } catch (error) {
        this.#host.onError(error);
        await new Promise<void>((resolve) => {
          this.#host.setTimer(this.#host.backoffMs(failures), resolve);
        });
      }
    }
  }
}
