import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import { MAX_READ, type MessageStore, type StoredMessage } from '../../../ports/message-store/port.ts';
import { Run } from './shared.ts';

/** Called with what follows in the conversation, or undefined when there is nothing. */
export type Pulled = (run: Run | undefined) => void;

interface Wanted {
  readonly conversationId: string;
  readonly afterSeq: number;
  readonly waiters: Pulled[];
}

export const PAGE = 100;
const rangesAtOnce = MAX_READ / PAGE;
const readsAtOnce = 4;
const retryMs = 500;

/**
 * Reads what devices have missed. Who wants the same page gets the same, and pages are read many at a time. While the
 * store cannot be reached, everybody waits.
 */
export class Puller {
  readonly #messages: Pick<MessageStore, 'read'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ending: AbortSignal;
  readonly #wanted = new Map<string, Wanted>();
  #reading = 0;
  #isScheduled = false;
  /** Messages read, since the start. */
  pulled = 0;

  constructor(
    deps: { messages: Pick<MessageStore, 'read'>; clock: Clock; log: Logger },
    ending: AbortSignal,
  ) {
    this.#messages = deps.messages;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#ending = ending;
  }

  pull(conversationId: string, afterSeq: number, pulled: Pulled): void {
    const key = `${conversationId}:${afterSeq}`;
    const wanted = this.#wanted.get(key);
    if (wanted) wanted.waiters.push(pulled);
    else this.#wanted.set(key, { conversationId, afterSeq, waiters: [pulled] });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // All who want something in this turn.
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#start();
    });
  }

  #start(): void {
    while (this.#reading < readsAtOnce && this.#wanted.size > 0 && !this.#ending.aborted) {
      const batch: Wanted[] = [];
      for (const [key, wanted] of this.#wanted) {
        batch.push(wanted);
        this.#wanted.delete(key);
        if (batch.length === rangesAtOnce) break;
      }
      this.#reading += 1;
      void this.#read(batch);
    }
  }

  async #read(batch: readonly Wanted[]): Promise<void> {
    try {
      const found = await this.#untilRead(batch);
      if (!found) return;
      for (const [index, { waiters }] of batch.entries()) {
        const messages = found[index] ?? [];
        this.pulled += messages.length;
        const run = messages.length > 0 ? new Run(messages) : undefined;
        for (const pulled of waiters) pulled(run);
      }
    } finally {
      this.#reading -= 1;
      this.#start();
    }
  }

  /** Undefined when this node ends. */
  async #untilRead(batch: readonly Wanted[]): Promise<StoredMessage[][] | undefined> {
    const ranges = batch.map(({ conversationId, afterSeq }) => ({
      ...{ conversationId, afterSeq, limit: PAGE },
      keep: 'oldest' as const,
    }));
    while (!this.#ending.aborted) {
      try {
        return await this.#messages.read(ranges, { signal: this.#ending });
      } catch (error) {
        if (this.#ending.aborted) break;
        this.#log.warn({ err: error, ranges: ranges.length }, 'messages were not read, and are tried again');
        await this.#clock.sleep(retryMs, { signal: this.#ending }).catch(() => undefined);
      }
    }
    return undefined;
  }
}
