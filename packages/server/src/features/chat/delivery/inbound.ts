import type { Clock } from '../../../kernel/clock.ts';
import type { Bus, Subscription } from '../../../ports/bus/port.ts';
import type { Suspicion } from './suspects.ts';
import {
  ALL_NODES,
  decodeHello,
  decodeParcel,
  encode,
  type Hello,
  type Load,
  type Parcel,
  topicOf,
} from './wire.ts';

export interface InboundDeps {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly nodeName: string;
  readonly address?: string | undefined;
  readonly load: (load: Load) => void;
  readonly changed: (conversationIds: readonly string[]) => void;
  readonly suspected: (suspicions: readonly Suspicion[]) => void;
  /** Something may have been missed: messages, or also what changes who reads what. */
  readonly missed: (what: 'messages' | 'everything') => void;
}

interface Publisher {
  series: number;
  number: number;
  events: number;
}

interface Peer {
  readonly address: string | undefined;
  readonly isLeaving: boolean;
  readonly heardMs: number;
}

/** A node that is not heard of for so long is taken for gone. */
const silentForMs = 5_000;
const maxPeers = 1_000;

/** What other nodes tell: who they are, and what is new for the devices of this node. */
export class Inbound {
  readonly #deps: InboundDeps;
  readonly #publishers = new Map<string, Publisher>();
  readonly #peers = new Map<string, Peer>();
  #subscriptions: readonly Subscription[] = [];
  #isLeaving = false;
  /** Times that something was missed, since the start. */
  misses = 0;

  constructor(deps: InboundDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { bus, nodeName } = this.#deps;
    this.#subscriptions = [
      await bus.subscribe(topicOf(nodeName), {
        onMessage: (bytes) => this.#hear(decodeParcel(bytes)),
        onGap: () => this.#missed('everything'),
      }),
      await bus.subscribe(ALL_NODES, {
        onMessage: (bytes) => this.#meet(decodeHello(bytes)),
        onGap: () => undefined,
      }),
    ];
    this.hello();
  }

  get isReceiving(): boolean {
    return this.#subscriptions.every(({ isReceiving }) => isReceiving);
  }

  names(): Iterable<string> {
    return this.#peers.keys();
  }

  /** Where else clients may go. */
  alternatives(): string[] {
    return [...this.#peers.values()].flatMap(({ address, isLeaving }) =>
      address === undefined || isLeaving ? [] : [address],
    );
  }

  hello(news: Pick<Hello, 'changed' | 'suspected'> = {}): void {
    const { address, bus, nodeName: from } = this.#deps;
    const hello: Hello = {
      from,
      ...(address !== undefined && { address }),
      ...(this.#isLeaving && { isLeaving: true }),
      ...news,
    };
    // Who does not hear it looks by itself after some seconds.
    bus.publish(ALL_NODES, encode(hello)).catch(() => undefined);
  }

  leave(): void {
    this.#isLeaving = true;
    this.hello();
  }

  /** A node that died may have committed something and told nobody. */
  forgetSilent(): void {
    const beforeMs = this.#deps.clock.monotonicMs() - silentForMs;
    for (const [name, { heardMs }] of this.#peers) {
      if (heardMs >= beforeMs) continue;
      this.#peers.delete(name);
      this.#publishers.delete(name);
      this.#missed('everything');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) await subscription[Symbol.asyncDispose]();
    this.#subscriptions = [];
  }

  #meet({ from, address, isLeaving = false, changed, suspected }: Hello): void {
    if (from === this.#deps.nodeName) return;
    if (changed) this.#deps.changed(changed);
    if (suspected) this.#deps.suspected(suspected);
    if (!this.#peers.has(from) && this.#peers.size >= maxPeers) return;
    this.#peers.set(from, { address, isLeaving, heardMs: this.#deps.clock.monotonicMs() });
  }

  #hear({ from, series, number, events, load }: Parcel): void {
    let publisher = this.#publishers.get(from);
    if (!publisher) {
      publisher = { series: 0, number: 0, events: 0 };
      this.#publishers.set(from, publisher);
    }
    if (series < publisher.series) return;
    if (series > publisher.series) {
      publisher.series = series;
      publisher.number = 0;
      publisher.events = 0;
    }
    // Heard before: a bus may repeat itself.
    if (number < publisher.number || (load && number === publisher.number)) return;
    const isNext = number === publisher.number + (load ? 1 : 0);
    const ownEvents = load && load.events.length + load.marks.length + load.takeovers.length > 0 ? 1 : 0;
    const missedEvents = events - publisher.events - ownEvents > 0;
    publisher.number = number;
    publisher.events = events;
    if (!isNext) this.#missed(missedEvents ? 'everything' : 'messages');
    if (load) this.#deps.load(load);
  }

  #missed(what: 'messages' | 'everything'): void {
    this.misses += 1;
    this.#deps.missed(what);
  }
}
