import { AppError } from '../../../../kernel/errors.ts';
import { Occasionally } from '../../../../kernel/occasionally.ts';
import type { Subscription } from '../../../../ports/bus/port.ts';
import { overloaded } from '../commit-queue.ts';
import { shuttingDown } from '../committer.ts';
import { Preparer } from '../prepare.ts';
import type { Commits, Draft, Receipt, SendListener } from '../types.ts';
import { Lanes } from './lanes.ts';
import { type Forwarded, Link } from './link.ts';
import { defaultOptions, type RemoteCommitterDeps, type RemoteCommitterOptions } from './options.ts';
import { Owners } from './owners.ts';
import { type Answer, type Answers, answersTopic, decodeAnswers, errorOf } from './wire.ts';

const turnMs = 100;

/**
 * Hands what is said to the process that owns the conversation. The bus may lose anything: what has a number is given again, to
 * the same owner or to the next one, until its deadline, and each chain in its order. What has none is given again only when it is certain
 * that it was not stored.
 *
 * Errors: those of the `Committer`; `overloaded` when no owner is heard of or too much is under way; `timeout` (outcome unknown).
 */
export class RemoteCommitter implements Commits {
  readonly #deps: RemoteCommitterDeps;
  readonly #options: RemoteCommitterOptions;
  readonly #preparer = new Preparer();
  readonly #owners: Owners;
  readonly #links = new Map<string, Link>();
  /** In the order in which they came, which is that of their deadlines. */
  readonly #forwarded = new Map<number, Forwarded>();
  readonly #lanes = new Lanes((conversationId) => this.#linkFor(conversationId));
  readonly #says: Occasionally;
  #subscription: Subscription | undefined;
  #timer: Disposable | undefined;
  #homeless = 0;
  #bytes = 0;
  #ids = 0;
  #series = 0;
  #isStopping = false;

  private constructor(deps: RemoteCommitterDeps, options: Partial<RemoteCommitterOptions>) {
    this.#deps = deps;
    this.#options = { ...defaultOptions, ...options };
    this.#says = new Occasionally(deps.clock);
    this.#owners = new Owners({
      ...deps,
      came: () => this.#settle(),
      left: (owner) => this.#moveFrom(owner),
      died: (owner) => this.#bury(owner),
      deaf: (owner) => this.#links.get(owner)?.restart(),
    });
  }

  static async open(
    deps: RemoteCommitterDeps,
    options: Partial<RemoteCommitterOptions> = {},
  ): Promise<RemoteCommitter> {
    const committer = new RemoteCommitter(deps, options);
    await committer.#start();
    return committer;
  }

  submit(draft: Draft, listener: SendListener): void {
    const error = this.#take(draft, listener);
    if (error) queueMicrotask(() => listener.refused(error));
  }

  send(draft: Draft): Promise<Receipt> {
    return new Promise((stored, refused) => this.submit(draft, { stored, refused }));
  }

  get waiting(): number {
    return this.#forwarded.size;
  }

  get owners(): number {
    return this.#owners.size;
  }

  async leave(): Promise<void> {
    // Nobody sends here.
  }

  /** Takes nothing new, and resolves when everything is answered. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock } = this.#deps;
    this.#isStopping = true;
    const untilMs = clock.monotonicMs() + this.#options.drainMs;
    while (this.#forwarded.size > 0 && clock.monotonicMs() < untilMs) await clock.sleep(10);
    this.#timer?.[Symbol.dispose]();
    await this.#owners[Symbol.asyncDispose]();
    await this.#subscription?.[Symbol.asyncDispose]();
    for (const link of this.#links.values()) link.close();
    this.#giveUp([...this.#forwarded.values()]);
  }

  async #start(): Promise<void> {
    const { bus, clock, nodeName } = this.#deps;
    this.#subscription = await bus.subscribe(answersTopic(nodeName), {
      onMessage: (bytes) => this.#hear(decodeAnswers(bytes)),
      onGap: () => {
        for (const link of this.#links.values()) link.restart();
      },
    });
    await this.#owners.start();
    this.#timer = clock.every(turnMs, () => this.#turn());
  }

  #take(draft: Draft, listener: SendListener): AppError | undefined {
    const { maxBytes, maxUnderWay } = this.#options;
    if (this.#isStopping) return shuttingDown();
    const send = this.#preparer.prepare(draft);
    if (send instanceof AppError) return send;
    const bytes = send.body.length;
    if (this.#forwarded.size >= maxUnderWay || this.#bytes + bytes > maxBytes) return overloaded();
    this.#ids += 1;
    const forwarded: Forwarded = {
      ...{ id: this.#ids, send, listener, bytes, link: undefined, homelessMs: 0 },
      untilMs: this.#deps.clock.monotonicMs() + this.#options.deadlineMs,
      ...{ wasSent: false, wasRepeated: false, series: 0, number: 0 },
    };
    this.#forwarded.set(forwarded.id, forwarded);
    this.#bytes += bytes;
    this.#place(forwarded, this.#lanes.enter(send.conversationId));
    return undefined;
  }

  #linkFor(conversationId: string): Link | undefined {
    const owner = this.#owners.ownerOf(conversationId);
    if (owner === undefined) return undefined;
    let link = this.#links.get(owner);
    if (!link) {
      link = new Link(owner, {
        ...this.#deps,
        nextSeries: () => {
          this.#series += 1;
          return this.#series;
        },
        failed: (error) => this.#failed(error),
      });
      this.#links.set(owner, link);
    }
    return link;
  }

  #place(forwarded: Forwarded, link: Link | undefined): void {
    if (link) {
      link.add(forwarded);
      return;
    }
    forwarded.link = undefined;
    forwarded.homelessMs = this.#deps.clock.monotonicMs();
    this.#homeless += 1;
  }

  /** An owner has come: whoever waits for one goes there, in order. */
  #settle(): void {
    if (this.#homeless === 0) return;
    for (const forwarded of this.#forwarded.values()) if (!forwarded.link) this.#rehome(forwarded, undefined);
  }

  #rehome(forwarded: Forwarded, from: Link | undefined): void {
    if (forwarded.link) forwarded.link.forwarded.delete(forwarded.id);
    else this.#homeless -= 1;
    this.#place(forwarded, this.#lanes.onFrom(forwarded.send.conversationId, from));
  }

  /** It takes nothing new. What has a number goes elsewhere at once; what has none may yet be answered. */
  #moveFrom(owner: string): void {
    const link = this.#links.get(owner);
    if (!link) return;
    for (const forwarded of [...link.forwarded.values()])
      if (forwarded.send.turn || !forwarded.wasSent) this.#rehome(forwarded, link);
    this.#lanes.turnFrom(link);
  }

  #bury(owner: string): void {
    const link = this.#links.get(owner);
    if (!link) return;
    this.#moveFrom(owner);
    link.close();
    this.#links.delete(owner);
    this.#giveUp([...link.forwarded.values()]);
  }

  #hear(answers: Answers): void {
    const link = this.#links.get(answers.from);
    if (!link?.hear(answers)) return;
    for (const answer of answers.answers) this.#answered(link, answer);
  }

  #answered(link: Link, answer: Answer): void {
    const [id] = answer;
    const forwarded = this.#forwarded.get(id);
    if (!forwarded) return;
    if (answer.length === 5) {
      const [, seq, messageId, timestampMs, isDuplicate] = answer;
      this.#end(forwarded);
      const { conversationId } = forwarded.send;
      forwarded.listener.stored({ conversationId, seq, id: messageId, timestampMs, isDuplicate });
      return;
    }
    // It went elsewhere meanwhile, and will be answered from there.
    if (forwarded.link !== link) return;
    const error = errorOf(answer[1]);
    if (error.code === 'shutting-down') this.#leftBy(link, forwarded);
    // That takes no number: one that is on its way may yet be stored, if its sender is a member again by then.
    else if (error.code === 'not-found' && forwarded.wasRepeated && forwarded.send.turn)
      this.#giveUp([forwarded]);
    else {
      this.#end(forwarded);
      forwarded.listener.refused(error);
    }
  }

  /** It changed nothing there: also what has no number may be given to another. */
  #leftBy(link: Link, forwarded: Forwarded): void {
    this.#owners.leave(link.owner);
    if (forwarded.link === link) this.#rehome(forwarded, link);
  }

  #turn(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#owners.forgetSilent();
    for (const link of this.#links.values()) link.turn(nowMs);
    const late: Forwarded[] = [];
    for (const forwarded of this.#forwarded.values()) {
      const isHomeless = !forwarded.link;
      if (nowMs >= forwarded.untilMs) late.push(forwarded);
      else if (isHomeless && nowMs - forwarded.homelessMs >= this.#options.homelessMs) late.push(forwarded);
      else if (this.#homeless === 0) break;
    }
    this.#giveUp(late);
  }

  #giveUp(given: readonly Forwarded[]): void {
    const unknown = new Set<string>();
    for (const forwarded of given) {
      this.#end(forwarded);
      if (forwarded.wasSent) unknown.add(forwarded.send.conversationId);
      forwarded.listener.refused(forwarded.wasSent ? new AppError('timeout') : noOwner());
    }
    if (unknown.size > 0) this.#deps.onUnknown([...unknown]);
  }

  #end(forwarded: Forwarded): void {
    const { bytes, id, link, send } = forwarded;
    this.#forwarded.delete(id);
    this.#bytes -= bytes;
    if (link) link.forwarded.delete(id);
    else this.#homeless -= 1;
    this.#lanes.leave(send.conversationId);
  }

  #failed(error: unknown): void {
    this.#says.say('forward', (times) =>
      this.#deps.log.warn({ err: error, times }, 'an owner of conversations was not reached'),
    );
  }
}

const noOwner = () =>
  new AppError('overloaded', { detail: 'No process takes messages at the moment', retryAfterSeconds: 1 });
