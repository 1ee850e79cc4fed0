import type { Clock } from '../../../../kernel/clock.ts';
import type { Bus, Subscription } from '../../../../ports/bus/port.ts';
import { decodeNews, encode, OWNERS, type OwnerNews } from './wire.ts';

/** An owner that is not heard of for so long is taken for dead: several of its signs of life. */
const silentForMs = 3_000;
const maxOwners = 1_000;

interface Known {
  heardMs: number;
  isLeaving: boolean;
  readonly seed: number;
}

export interface OwnersDeps {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly nodeName: string;
  /** One more takes what is said. */
  readonly came: () => void;
  readonly left: (owner: string) => void;
  readonly died: (owner: string) => void;
  /** It may have missed what was sent to it. */
  readonly deaf: (owner: string) => void;
}

/** Which processes own conversations, by what is heard of them, and which of them owns which. */
export class Owners implements AsyncDisposable {
  readonly #deps: OwnersDeps;
  readonly #known = new Map<string, Known>();
  #subscription: Subscription | undefined;

  constructor(deps: OwnersDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#subscription = await this.#deps.bus.subscribe(OWNERS, {
      onMessage: (bytes) => this.#hear(decodeNews(bytes)),
      onGap: () => this.#resume(),
    });
    this.#ask();
  }

  get size(): number {
    let size = 0;
    for (const { isLeaving } of this.#known.values()) if (!isLeaving) size += 1;
    return size;
  }

  /** Rendezvous hashing: one that comes or goes moves only the conversations that it has itself. */
  ownerOf(conversationId: string): string | undefined {
    let owner: string | undefined;
    let highest = -1;
    for (const [name, { isLeaving, seed }] of this.#known) {
      if (isLeaving) continue;
      const weight = Bun.hash.xxHash32(conversationId, seed);
      if (weight < highest || (weight === highest && owner !== undefined && name < owner)) continue;
      highest = weight;
      owner = name;
    }
    return owner;
  }

  /** It said so itself, or it answers that it stops. */
  leave(name: string): void {
    const known = this.#known.get(name);
    if (!known || known.isLeaving) return;
    known.isLeaving = true;
    this.#deps.left(name);
  }

  forgetSilent(): void {
    // Who hears nobody at all has to blame nobody.
    if (!this.#subscription?.isReceiving) return;
    const beforeMs = this.#deps.clock.monotonicMs() - silentForMs;
    for (const [name, { heardMs }] of this.#known) {
      if (heardMs >= beforeMs) continue;
      this.#known.delete(name);
      this.#deps.died(name);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscription?.[Symbol.asyncDispose]();
  }

  #hear({ from, kind }: OwnerNews): void {
    if (kind === 'who') return;
    const known = this.#known.get(from);
    if (known) known.heardMs = this.#deps.clock.monotonicMs();
    else if (kind === 'leaving' || this.#known.size >= maxOwners) return;
    else {
      const heardMs = this.#deps.clock.monotonicMs();
      this.#known.set(from, { heardMs, isLeaving: false, seed: Bun.hash.xxHash32(from) });
      this.#deps.came();
    }
    if (kind === 'leaving') this.leave(from);
    if (kind === 'deaf') this.#deps.deaf(from);
  }

  #resume(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const known of this.#known.values()) known.heardMs = nowMs;
    this.#ask();
  }

  /** Who does not hear it says by itself that it is there. */
  #ask(): void {
    const { bus, nodeName: from } = this.#deps;
    bus.publish(OWNERS, encode({ from, kind: 'who' })).catch(() => undefined);
  }
}
