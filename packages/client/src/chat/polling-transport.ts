import { chat, conversations, type SyncAnswer } from '@hvideo/protocol';
import { ApiError } from '../errors.ts';
import { deferred } from './deferred.ts';
import { failureOf, isFinalRefusal, isPassingStatus } from './failures.ts';
import type { ChatLimits, ChatOptions } from './options.ts';
import type { Outcome, Outgoing } from './outgoing.ts';
import type { ChatSurroundings } from './surroundings.ts';
import type { Delivery, Transport, TransportEvents } from './transport.ts';

export interface PollingOptions {
  readonly client: ChatOptions['client'];
  readonly instance: string;
  readonly limits: ChatLimits;
  readonly around: Pick<ChatSurroundings, 'setTimer'>;
  readonly events: TransportEvents;
  /** The newest event that is known; undefined: none, as a new device. */
  readonly pts: () => number | undefined;
}

/** Conversations whose acknowledgements fit into one request. */
const maxAcks = 200;

/** The same promises over plain requests: a long poll for what comes, a request for each message that goes. */
export class PollingTransport implements Transport {
  /** Requests overtake each other. */
  readonly maxInFlight = 1;
  deviceId = '';

  readonly #options: PollingOptions;
  readonly #ending = new AbortController();
  /** Done, and not told to the server yet. */
  readonly #acks = new Map<string, number>();
  #isReady = false;

  constructor(options: PollingOptions) {
    this.#options = options;
    this.#run().catch((error: unknown) => this.#end(error));
  }

  send(message: Outgoing, preId: string | undefined, onOutcome: (outcome: Outcome) => void): void {
    const { signal } = this.#ending;
    this.#send(message, preId).then(
      (outcome) => signal.aborted || onOutcome(outcome),
      (error: unknown) => signal.aborted || onOutcome(outcomeOf(error)),
    );
  }

  close(): void {
    this.#end(new Error('closed'));
  }

  async #send(message: Outgoing, preId: string | undefined): Promise<Outcome> {
    const { client, instance, limits } = this.#options;
    const quote = message.quote?.includes(':') ? message.quote : Number(message.quote);
    const receipt = await client.call(
      conversations.send,
      {
        params: { id: message.conversationId },
        body: {
          ...message.content,
          deviceId: instance,
          chain: message.chain,
          clientSeq: message.clientSeq,
          ...(preId === undefined ? {} : { preId }),
          ...(message.quote === null ? {} : { quote }),
        },
      },
      {
        signal: this.#ending.signal,
        limits: { maxAttempts: 1, attemptMs: limits.requestMs, deadlineMs: limits.requestMs },
      },
    );
    return { kind: 'stored', receipt };
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    // The first answer comes at once, and tells whether this way works at all.
    for (let waitSeconds = 0; !signal.aborted; waitSeconds = this.#options.limits.pollWaitSeconds) {
      const answer = await this.#sync(waitSeconds);
      if (signal.aborted) return;
      this.deviceId = answer.deviceId;
      const isFirst = !this.#isReady;
      this.#isReady = true;
      if (isFirst) this.#options.events.onReady(this);
      await this.#take(answer);
    }
  }

  async #sync(waitSeconds: number): Promise<SyncAnswer> {
    const { client, instance, limits, pts } = this.#options;
    const known = pts();
    const acks = [...this.#acks].slice(0, maxAcks);
    const timeoutMs = waitSeconds * 1000 + limits.requestMs;
    const answer = await client.call(
      chat.sync,
      {
        query: {
          device: instance,
          wait: waitSeconds,
          ...(known === undefined ? {} : { pts: known }),
          ...(acks.length === 0 ? {} : { ack: acks.map(([id, seq]) => `${id}:${seq}`).join(',') }),
        },
      },
      {
        signal: this.#ending.signal,
        limits: { maxAttempts: 1, attemptMs: timeoutMs, deadlineMs: timeoutMs },
      },
    );
    for (const [id, seq] of acks) if (this.#acks.get(id) === seq) this.#acks.delete(id);
    return answer;
  }

  /** Resolves when everything was handed over: until then the server would only say the same again. */
  async #take(answer: SyncAnswer): Promise<void> {
    const { events } = this.#options;
    const handed: Promise<void>[] = [];
    const deliver = (conversationId: string, seq: number, make: (done: () => void) => Delivery) => {
      const { promise, resolve } = deferred<void>();
      handed.push(promise);
      const done = () => {
        this.#acks.set(conversationId, Math.max(seq, this.#acks.get(conversationId) ?? 0));
        resolve();
      };
      events.onDelivery(make(done));
    };
    for (const event of answer.events) events.onEvent(event);
    events.onSynced(answer.pts, answer.tooLong);
    for (const { conversationId, gap, messages } of answer.conversations) {
      if (gap !== null) {
        deliver(conversationId, gap.toSeq, (done) => ({ kind: 'gap', conversationId, ...gap, done }));
      }
      for (const message of messages) {
        deliver(conversationId, message.seq, (done) => ({ kind: 'message', message, done }));
      }
    }
    await this.#unlessLate(Promise.all(handed));
  }

  #unlessLate(work: Promise<unknown>): Promise<void> {
    const { promise, resolve } = deferred<void>();
    const cancel = this.#options.around.setTimer(this.#options.limits.requestMs, resolve);
    const end = () => {
      cancel();
      resolve();
    };
    this.#ending.signal.addEventListener('abort', end, { once: true });
    work.then(end, end);
    return promise;
  }

  #end(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort(new Error('The polling has ended'));
    this.#options.events.onEnd({
      failure: failureOf(error),
      isFinal: isFinalRefusal(error),
      retryAfterMs: error instanceof ApiError ? error.retryAfterMs : undefined,
    });
  }
}

function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof ApiError)) return { kind: 'unknown' };
  return {
    kind: 'refused',
    failure: failureOf(error),
    isPassing: isPassingStatus(error.status),
    retryAfterMs: error.retryAfterMs,
    expectedClientSeq: error.problem.expectedClientSeq,
  };
}
