import type { Logger } from 'pino';
import type { Clock } from '../../../kernel/clock.ts';
import type { Random } from '../../../kernel/random.ts';
import type {
  ChangeConsumer,
  ChangedTransaction,
  ChangeFeed,
  ChangeFeedState,
  ChangeFeedStatus,
} from '../../../ports/change-feed/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import { backOffMs, Consumers } from './consumers.ts';
import { markRebuilt, toRebuild } from './generation.ts';

export interface FeedOptions {
  /** Where changes are read: a direct connection to the primary, not one through a pool that shares sessions. */
  readonly url: string;
  /** What caches and other consumers read from. */
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Of the log behind the confirmed position; beyond it the feed is begun anew. */
  readonly maxLagBytes?: number;
  /** How long `close` waits for handlers under way. */
  readonly closeMs?: number;
  /** How often a process that does not lead looks whether it can. */
  readonly takeOverMs?: number;
}

export const DEFAULT_MAX_LAG_BYTES = 4 * 2 ** 30;
const CLOSE_MS = 10_000;
const TAKE_OVER_MS = 1_000;

/** What both feeds have in common: one attempt to lead after another, until it is closed. */
export abstract class SupervisedFeed implements ChangeFeed {
  protected readonly options: FeedOptions;
  protected readonly consumers: Consumers;
  /** Aborted when no new batch is to be begun, and when those under way are given up. */
  readonly #closing = new AbortController();
  readonly #givingUp = new AbortController();
  #loop: Promise<void> | undefined;
  #state: ChangeFeedState = 'stopped';
  #lastError: { text: string; atMs: number } | undefined;
  #handledRows = 0;
  #timesRebuilt = 0;
  protected lagBytes: number | undefined;
  protected confirmedPosition: string | undefined;
  #inHandSinceMs: number | undefined;

  constructor(options: FeedOptions) {
    this.options = options;
    const { clock, random, log } = options;
    this.consumers = new Consumers({
      ...{ clock, random, log, closing: this.#closing.signal },
      onError: (error) => this.noteError(error),
    });
  }

  follow(consumer: ChangeConsumer): void {
    if (this.#loop) throw new Error('the change feed has started');
    this.consumers.add(consumer);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Leads until something fails or it is closed; false when another process leads. */
  protected abstract lead(closing: AbortSignal, givingUp: AbortSignal): Promise<boolean>;
  /** Commit time of the oldest change that waits for the handlers. */
  protected abstract oldestWaitingMs(): number | undefined;

  async #run(): Promise<void> {
    const { clock, random, log } = this.options;
    const closing = this.#closing.signal;
    for (let failures = 0; !closing.aborted; ) {
      this.#state = this.#state === 'waiting' ? 'waiting' : 'connecting';
      let pauseMs = (this.options.takeOverMs ?? TAKE_OVER_MS) * (0.5 + random.integer(500) / 1_000);
      try {
        const sinceMs = clock.monotonicMs();
        const hasLed = await this.lead(closing, this.#givingUp.signal).catch((error: unknown) => {
          if (clock.monotonicMs() - sinceMs > 10_000) failures = 0;
          throw error;
        });
        if (!hasLed) this.#state = 'waiting';
        failures = 0;
      } catch (error) {
        if (closing.aborted) break;
        this.#state = 'retrying';
        this.noteError(error);
        log.warn({ err: error, failures }, 'change feed: interrupted');
        pauseMs = backOffMs(failures, random);
        failures += 1;
      }
      this.#inHandSinceMs = undefined;
      await clock.sleep(pauseMs, { signal: closing }).catch(() => undefined);
    }
  }

  protected set state(state: ChangeFeedState) {
    this.#state = state;
  }

  protected noteError(error: unknown): void {
    this.#lastError = { text: String(error), atMs: this.options.clock.nowMs() };
  }

  protected noteBegunAnew(why: string): void {
    this.#timesRebuilt += 1;
    this.options.log.warn({ why }, 'change feed: begun anew, everything derived counts as cold');
  }

  protected async rebuild(generation: string, signal: AbortSignal): Promise<void> {
    const { database } = this.options;
    const waiting = await toRebuild(database, generation, this.consumers.all);
    if (waiting.length === 0) return;
    this.state = 'rebuilding';
    await Promise.all(
      waiting.map(async (consumer) => {
        await this.consumers.untilDone(consumer, 'rebuild', () => consumer.rebuild(signal), signal);
        await markRebuilt(database, generation, consumer);
      }),
    );
  }

  protected async deliver(transactions: readonly ChangedTransaction[], signal: AbortSignal): Promise<void> {
    await this.consumers.deliver(transactions, signal);
    for (const { rows } of transactions) this.#handledRows += rows.length;
  }

  /** From being taken until it is handled, the batch counts for the lag. */
  protected async inHand<T>(sinceMs: number | undefined, work: () => Promise<T>): Promise<T> {
    this.#inHandSinceMs = sinceMs;
    const result = await work();
    this.#inHandSinceMs = undefined;
    return result;
  }

  status(): ChangeFeedStatus {
    const oldestMs = this.#inHandSinceMs ?? this.oldestWaitingMs();
    return {
      state: this.#state,
      lagBytes: this.lagBytes,
      lagMs: oldestMs === undefined ? 0 : Math.max(0, this.options.clock.nowMs() - oldestMs),
      position: this.confirmedPosition,
      lastError: this.#lastError?.text,
      lastErrorAtMs: this.#lastError?.atMs,
      handledRows: this.#handledRows,
      timesRebuilt: this.#timesRebuilt,
    };
  }

  async close(): Promise<void> {
    const reason = new Error('the change feed is being closed');
    this.#closing.abort(reason);
    const timer = setTimeout(() => this.#givingUp.abort(reason), this.options.closeMs ?? CLOSE_MS);
    await this.#loop;
    clearTimeout(timer);
    this.#state = 'closed';
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
