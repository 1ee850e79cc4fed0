import type { Clock } from '../../../../kernel/clock.ts';
import type { Logger } from '../../../../kernel/log.ts';
import { Occasionally } from '../../../../kernel/occasionally.ts';
import type { Random } from '../../../../kernel/random.ts';
import type { Bus, Subscription } from '../../../../ports/bus/port.ts';
import type { Committer } from '../committer.ts';
import type { Commits, Draft, Receipt, SendListener } from '../types.ts';
import { Asker } from './asker.ts';
import { decodeNews, decodeSends, encode, OWNERS, type OwnerNews, type Sends, sendsTopic } from './wire.ts';

export interface OwnerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly bus: Bus;
  readonly nodeName: string;
}

const signOfLifeMs = 500;
const cleanEveryMs = 10_000;
/** By then whoever asked has given up. */
const forgetAfterMs = 60_000;
const maxAskers = 1_000;
/** What is on its way to an owner that leaves is told so. */
const lingerMs = 150;

/** Commits what comes here, and what other processes hand over. */
export class Owner implements Commits {
  readonly #deps: OwnerDeps;
  readonly #committer: Committer;
  readonly #askers = new Map<string, Asker>();
  #lives = 0;
  readonly #says: Occasionally;
  readonly #timers: Disposable[] = [];
  #subscriptions: readonly Subscription[] = [];
  #beat: Disposable | undefined;
  #isLeaving = false;

  private constructor(deps: OwnerDeps, committer: Committer) {
    this.#deps = deps;
    this.#committer = committer;
    this.#says = new Occasionally(deps.clock);
  }

  static async open(deps: OwnerDeps, committer: Committer): Promise<Owner> {
    const owner = new Owner(deps, committer);
    await owner.#start();
    return owner;
  }

  submit(draft: Draft, listener: SendListener): void {
    this.#committer.submit(draft, listener);
  }

  send(draft: Draft): Promise<Receipt> {
    return this.#committer.send(draft);
  }

  get waiting(): number {
    return this.#committer.waiting;
  }

  get owners(): number {
    return this.#committer.owners;
  }

  async leave(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    await this.#tell('leaving');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { clock } = this.#deps;
    await this.leave();
    await this.#committer.drain();
    await clock.sleep(lingerMs);
    for (const asker of this.#askers.values()) await asker.drained();
    this.#beat?.[Symbol.dispose]();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    for (const subscription of this.#subscriptions) await subscription[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    const { bus, clock, nodeName } = this.#deps;
    this.#subscriptions = [
      await bus.subscribe(sendsTopic(nodeName), {
        onMessage: (bytes) => this.#take(decodeSends(bytes)),
        onGap: () => void this.#tell('deaf'),
      }),
      await bus.subscribe(OWNERS, {
        onMessage: (bytes) => decodeNews(bytes).kind === 'who' && void this.#tell('here'),
        onGap: () => undefined,
      }),
    ];
    this.#timers.push(clock.every(cleanEveryMs, () => this.#clean()));
    this.#live();
  }

  /** At moments of its own, so that many do not speak at once. Who hears nothing can take nothing: then others are to be found. */
  #live(): void {
    const { clock, random } = this.#deps;
    if (this.#subscriptions.every(({ isReceiving }) => isReceiving)) void this.#tell('here');
    this.#beat = clock.after(signOfLifeMs + random.integer(signOfLifeMs), () => this.#live());
  }

  async #tell(kind: OwnerNews['kind']): Promise<void> {
    const { bus, nodeName: from } = this.#deps;
    // Said again and again; whoever misses it finds another owner.
    await bus
      .publish(OWNERS, encode({ from, kind: this.#isLeaving ? 'leaving' : kind }))
      .catch(() => undefined);
  }

  #take(sends: Sends): void {
    let asker = this.#askers.get(sends.from);
    if (!asker) {
      // It hears nothing, and goes elsewhere.
      if (this.#askers.size >= maxAskers) return;
      this.#lives += 1;
      asker = new Asker(sends.from, {
        ...this.#deps,
        life: this.#lives,
        committer: this.#committer,
        failed: (error) => this.#failed(error),
      });
      this.#askers.set(sends.from, asker);
    }
    asker.take(sends);
  }

  #failed(error: unknown): void {
    this.#says.say('answers', (times) =>
      this.#deps.log.warn({ err: error, times }, 'whoever sent something was not told what became of it'),
    );
  }

  #clean(): void {
    const beforeMs = this.#deps.clock.monotonicMs() - forgetAfterMs;
    for (const [name, asker] of this.#askers) if (asker.isIdleSince(beforeMs)) this.#askers.delete(name);
  }
}
