import { AppError } from '../../../src/kernel/errors.ts';
import type { Bus, BusHandler, Subscription } from '../../../src/ports/bus/port.ts';
import type { RouteTable } from '../../../src/ports/route-table/port.ts';
import type { Network } from './network.ts';
import { Machine, type Scheduler } from './scheduler.ts';

interface Subscriber {
  readonly machine: Machine;
  readonly handler: BusHandler;
  lastArrivalMs: number;
  isReceiving: boolean;
}

/**
 * The server that all nodes publish through. It crashes and comes back having forgotten who subscribed, loses messages without a
 * word when a subscriber is slow, and delivers some twice, as a publisher does that repeats itself.
 */
export class SimulatedBus {
  readonly machine = new Machine('bus');
  isUp = true;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #topics = new Map<string, Set<Subscriber>>();
  readonly routes = new Map<string, Map<string, number>>();
  epoch = 0;

  constructor(scheduler: Scheduler, network: Network) {
    this.#scheduler = scheduler;
    this.#network = network;
  }

  /** Down for `ms`: what is published meanwhile is lost, and everything that it kept. */
  crash(ms: number): void {
    this.isUp = false;
    this.epoch += 1;
    this.routes.clear();
    for (const subscribers of this.#topics.values())
      for (const subscriber of subscribers) subscriber.isReceiving = false;
    this.#scheduler.at(ms, this.machine, () => {
      this.isUp = true;
      for (const subscribers of this.#topics.values())
        for (const subscriber of subscribers) this.#resume(subscriber);
    });
  }

  /** It speaks, and hears nothing for `ms`: one of its two connections is lost. */
  deafen(machine: Machine, ms: number): void {
    for (const subscribers of this.#topics.values())
      for (const subscriber of subscribers) {
        if (subscriber.machine !== machine) continue;
        subscriber.isReceiving = false;
        this.#scheduler.at(ms, machine, () => this.#resume(subscriber));
      }
  }

  #resume(subscriber: Subscriber): void {
    this.#scheduler.at(this.#network.delayMs(), subscriber.machine, () => {
      if (!this.isUp) return;
      subscriber.isReceiving = true;
      subscriber.handler.onGap();
    });
  }

  busOf(machine: Machine): Bus {
    return {
      publish: (topic, message) => this.#publish(machine, topic, message),
      subscribe: (topic, handler) => this.#subscribe(machine, topic, handler),
    };
  }

  #publish(from: Machine, topic: string, message: Uint8Array): Promise<void> {
    if (!this.isUp || this.#network.isCut(from, this.machine))
      return this.#later(from).then(() => {
        throw new AppError('timeout');
      });
    for (const subscriber of this.#topics.get(topic) ?? []) this.#pass(subscriber, message);
    return this.#later(from);
  }

  #pass(subscriber: Subscriber, message: Uint8Array): void {
    const { losesOncePer, repeatsOncePer } = this.#network.weather;
    const { random } = this.#scheduler;
    if (!subscriber.isReceiving || (losesOncePer > 0 && random.once(losesOncePer))) return;
    const times = repeatsOncePer > 0 && random.once(repeatsOncePer) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      const arrivesMs = Math.max(
        subscriber.lastArrivalMs,
        this.#scheduler.nowMs + this.#network.delayMs() / 4,
      );
      subscriber.lastArrivalMs = arrivesMs;
      this.#scheduler.at(arrivesMs - this.#scheduler.nowMs, subscriber.machine, () => {
        if (!subscriber.isReceiving || this.#network.isCut(subscriber.machine, this.machine)) return;
        subscriber.handler.onMessage(message);
      });
    }
  }

  async #subscribe(machine: Machine, topic: string, handler: BusHandler): Promise<Subscription> {
    await this.#later(machine);
    const subscriber = { machine, handler, lastArrivalMs: 0, isReceiving: this.isUp };
    const subscribers = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, subscribers);
    subscribers.add(subscriber);
    return {
      get isReceiving() {
        return subscriber.isReceiving;
      },
      [Symbol.asyncDispose]: async () => {
        subscriber.isReceiving = false;
        subscribers.delete(subscriber);
      },
    };
  }

  /** Forgets what a machine that is gone had subscribed to. */
  crashed(machine: Machine): void {
    for (const subscribers of this.#topics.values())
      for (const subscriber of subscribers)
        if (subscriber.machine === machine) subscribers.delete(subscriber);
  }

  routesOf(machine: Machine, ttlMs: number): RouteTable {
    let epochOfLast = this.epoch;
    const mine = new Set<string>();
    const reach = async () => {
      await this.#later(machine);
      if (!this.isUp || this.#network.isCut(machine, this.machine)) throw new AppError('timeout');
    };
    const put = (accountId: string) => {
      const nodes = this.routes.get(accountId) ?? new Map<string, number>();
      this.routes.set(accountId, nodes.set(machine.name, this.#scheduler.nowMs + ttlMs));
    };
    return {
      isAlone: false,
      add: async (accountIds) => {
        for (const id of accountIds) mine.add(id);
        await reach();
        accountIds.forEach(put);
      },
      remove: async (accountIds) => {
        for (const id of accountIds) mine.delete(id);
        await reach();
        for (const id of accountIds) this.routes.get(id)?.delete(machine.name);
      },
      renew: async () => {
        await reach();
        const isWhole = epochOfLast === this.epoch;
        epochOfLast = this.epoch;
        if (isWhole) for (const id of mine) put(id);
        return isWhole;
      },
      nodesOf: async (accountIds) => {
        await reach();
        return accountIds.map((id) => this.#nodesOf(id, machine));
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }

  #nodesOf(accountId: string, except: Machine): string[] {
    const found: string[] = [];
    for (const [name, untilMs] of this.routes.get(accountId) ?? [])
      if (name !== except.name && untilMs > this.#scheduler.nowMs) found.push(name);
    return found;
  }

  #later(machine: Machine): Promise<void> {
    return new Promise((resolve) => this.#scheduler.at(this.#network.delayMs() / 4, machine, resolve));
  }
}
