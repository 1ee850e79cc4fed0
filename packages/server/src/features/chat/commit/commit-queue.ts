import { AppError } from '../../../kernel/errors.ts';
import { chainKey } from '../../../ports/message-store/needs.ts';
import { MAX_SENDS, type Send, type StoredMessage, type Verdict } from '../../../ports/message-store/port.ts';
import { HeldChains } from './held-chains.ts';
import type { PreparedSend } from './prepare.ts';
import type { CommitterDeps, CommitterOptions, SendListener } from './types.ts';
import { answer, type Waiting } from './waiting.ts';

/** Other nodes may have stored what is waited for here. */
const LOOK_AGAIN_MS = 250;
const FIRST_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 640;
/** Into so many parts a batch is cut that took too long: what stands in the way of one of them does not of the others. */
const PARTS = 8;
const MIN_PART = 10;

/**
 * What waits to be stored, in the order in which it came. One batch is under way at a time and what comes meanwhile makes the next,
 * so batches grow with the load and a lone message waits for nobody. A batch that is late, because somebody holds one of its
 * conversations, stands in the way of its own conversations only: others go past it.
 */
export class CommitQueue {
  readonly #deps: CommitterDeps;
  readonly #options: CommitterOptions;
  readonly #held: HeldChains;
  #queue: Waiting[] = [];
  #bytes = 0;
  #underWay = 0;
  #late = 0;
  /** By the conversations of the batches under way: what has to wait for their end. */
  readonly #behind = new Map<string, Waiting[]>();
  #behindCount = 0;
  #pauses = 0;
  #failures = 0;
  #isStarting = false;
  #looking: Disposable | undefined;
  #idle = Promise.withResolvers<void>();

  constructor(deps: CommitterDeps, options: CommitterOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#held = new HeldChains(options.maxHeld);
  }

  /** False: there is no room. */
  add(send: PreparedSend, listener: SendListener): boolean {
    const { maxWaiting, maxWaitingBytes } = this.#options;
    const bytes = send.body.length;
    if (this.waiting >= maxWaiting || this.#bytes + bytes > maxWaitingBytes) return false;
    this.#bytes += bytes;
    this.#queue.push({
      ...{ send, listener, bytes, given: undefined },
      ...{ retryUntilMs: undefined, holdUntilMs: undefined, most: MAX_SENDS },
    });
    this.#start();
    return true;
  }

  get waiting(): number {
    return this.#queue.length + this.#behindCount;
  }

  /** Resolves when nothing is under way. What waits for a quote is answered: it changed nothing. */
  async drain(): Promise<void> {
    while (this.#underWay > 0 || this.#queue.length > 0) await this.#idle.promise;
    this.#looking?.[Symbol.dispose]();
    for (const waiting of this.#held.releaseAll(Number.NEGATIVE_INFINITY)) {
      this.#refuse(waiting, new AppError('shutting-down', { retryAfterSeconds: 1 }));
    }
  }

  #start(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    // What comes in this very turn goes along.
    queueMicrotask(() => {
      this.#isStarting = false;
      this.#startNext();
    });
  }

  #startNext(): void {
    if (this.#pauses > 0 || this.#underWay > this.#late || this.#underWay >= this.#options.maxUnderWay)
      return;
    const batch = this.#take();
    if (batch.length > 0) void this.#run(batch);
    else if (this.#underWay === 0) {
      this.#idle.resolve();
      this.#idle = Promise.withResolvers<void>();
    }
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    this.#underWay += 1;
    let isLate = false;
    const lateness = this.#deps.clock.after(this.#options.lateMs, () => {
      isLate = true;
      this.#late += 1;
      this.#startNext();
    });
    await this.#commit(batch);
    lateness[Symbol.dispose]();
    this.#underWay -= 1;
    if (isLate) this.#late -= 1;
    this.#startNext();
  }

  /** The next batch: nothing of a conversation that one is under way for, so that its order is kept. */
  #take(): Waiting[] {
    const batch: Waiting[] = [];
    const most = this.#queue[0]?.most ?? MAX_SENDS;
    while (batch.length < most && this.#queue.length > 0) {
      for (const waiting of this.#queue.splice(0, most - batch.length)) {
        if (this.#joinsHeld(waiting)) continue;
        const behind = this.#behind.get(waiting.send.conversationId);
        if (!behind) batch.push(waiting);
        else {
          behind.push(waiting);
          this.#behindCount += 1;
        }
      }
    }
    return batch;
  }

  /** What is behind a reply that waits, in its chain, waits with it. */
  #joinsHeld(waiting: Waiting): boolean {
    if (!this.#held.isHeld(waiting)) return false;
    if (!this.#held.join(waiting)) this.#refuse(waiting, overloaded());
    return true;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    for (const { send } of batch)
      if (!this.#behind.has(send.conversationId)) this.#behind.set(send.conversationId, []);
    let verdicts: Verdict[];
    try {
      verdicts = await this.#deps.messages.commit(batch.map((waiting) => this.#given(waiting)));
    } catch (error) {
      this.#free(batch);
      return this.#failed(batch, error);
    }
    this.#failures = 0;
    this.#free(batch);
    this.#settle(batch, verdicts);
  }

  /** What had to wait for the end of this batch is next, before what came later. */
  #free(batch: readonly Waiting[]): void {
    const freed: Waiting[] = [];
    for (const { send } of batch) {
      for (const waiting of this.#behind.get(send.conversationId) ?? []) freed.push(waiting);
      this.#behind.delete(send.conversationId);
    }
    if (freed.length === 0) return;
    this.#behindCount -= freed.length;
    this.#queue = [...freed, ...this.#queue];
  }

  /** Keeps id and time when it is given again, so that it is known for its own first try. */
  #given(waiting: Waiting): Send {
    const { clock, ids } = this.#deps;
    const { id, timestampMs } = waiting.given ?? { id: ids.next(), timestampMs: clock.nowMs() };
    waiting.given = { ...waiting.send, id, timestampMs };
    return waiting.given;
  }

  #settle(batch: readonly Waiting[], verdicts: readonly Verdict[]): void {
    const stored: StoredMessage[] = [];
    const spoken = new Set<string>();
    for (let i = 0; i < batch.length; i++) {
      const waiting = batch[i];
      const verdict = verdicts[i];
      if (!waiting || !verdict) throw new Error('a send without a verdict');
      if (this.#isHeldNow(waiting, verdict)) continue;
      const { turn, conversationId } = waiting.send;
      if (turn && !this.#held.isEmpty) spoken.add(chainKey(conversationId, turn.chain));
      const message = messageOf(waiting, verdict);
      if (message) stored.push(message);
      this.#bytes -= waiting.bytes;
      answer(waiting, verdict);
    }
    if (stored.length > 0) this.#deps.onCommitted(stored);
    this.#release(this.#held.release(spoken));
    this.#lookLater();
  }

  /** A reply before its target waits, and what is behind it in its chain with it. */
  #isHeldNow(waiting: Waiting, verdict: Verdict): boolean {
    const isBehindHeld = this.#held.isHeld(waiting);
    if (verdict.kind === 'quote-awaited' && !isBehindHeld) {
      waiting.holdUntilMs ??= this.#deps.clock.monotonicMs() + this.#options.quoteMs;
      return this.#held.hold(waiting, waiting.holdUntilMs);
    }
    // The same number once more, which waits as well, or one that follows.
    if (!isBehindHeld || (verdict.kind !== 'out-of-turn' && verdict.kind !== 'quote-awaited')) return false;
    return this.#held.join(waiting);
  }

  #release(released: readonly Waiting[]): void {
    if (released.length === 0) return;
    this.#queue = [...released, ...this.#queue];
    this.#start();
  }

  #lookLater(): void {
    if (this.#held.isEmpty || this.#looking) return;
    const { clock } = this.#deps;
    this.#looking = clock.after(LOOK_AGAIN_MS, () => {
      this.#looking = undefined;
      this.#release(this.#held.releaseAll(clock.monotonicMs()));
    });
  }

  /** It may have been stored. What has a number is given again, before everything that came later. */
  async #failed(batch: readonly Waiting[], error: unknown): Promise<void> {
    const { clock, random } = this.#deps;
    const reason = this.#reasonOf(error);
    const nowMs = clock.monotonicMs();
    const again: Waiting[] = [];
    const unknown = new Set<string>();
    for (const waiting of batch) {
      waiting.retryUntilMs ??= nowMs + this.#options.retryMs;
      if (reason.code === 'timeout') waiting.most = Math.max(MIN_PART, Math.ceil(batch.length / PARTS));
      const isWorthwhile = isTransient(reason) && waiting.send.turn && nowMs < waiting.retryUntilMs;
      if (isWorthwhile) again.push(waiting);
      else {
        unknown.add(waiting.send.conversationId);
        this.#refuse(waiting, reason);
      }
    }
    if (unknown.size > 0) this.#deps.onUnknown([...unknown]);
    this.#queue = [...again, ...this.#queue];
    const ceilingMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#pauses += 1;
    await clock.sleep(1 + random.integer(ceilingMs));
    this.#pauses -= 1;
  }

  #reasonOf(error: unknown): AppError {
    if (error instanceof AppError) return error;
    this.#deps.log.error({ err: error }, 'messages could not be committed');
    return new AppError('internal', { cause: error });
  }

  #refuse(waiting: Waiting, reason: AppError): void {
    this.#bytes -= waiting.bytes;
    waiting.listener.refused(reason);
  }
}

const isTransient = ({ code }: AppError) => code === 'database-unavailable' || code === 'timeout';

export const overloaded = () => new AppError('overloaded', { retryAfterSeconds: 1 });

/** What others are to hear of: new, or perhaps stored by a try whose answer was lost. */
function messageOf({ given, retryUntilMs }: Waiting, verdict: Verdict): StoredMessage | undefined {
  if (verdict.kind !== 'stored' || !given) return undefined;
  if (verdict.isDuplicate && retryUntilMs === undefined) return undefined;
  const { conversationId, senderId, deviceId, turn, body } = given;
  const { seq, id, timestampMs, quoteSeq } = verdict;
  return {
    ...{ conversationId, seq, id, senderId, deviceId, clientSeq: turn?.clientSeq ?? null },
    ...{ quoteSeq, timestampMs, body },
  };
}
