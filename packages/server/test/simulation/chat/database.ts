import { AppError } from '../../../src/kernel/errors.ts';
import type { Network } from './network.ts';
import { Machine, type Scheduler } from './scheduler.ts';

/**
 * The database between the nodes and the memory stores: calls take time, and while it is down they fail. A call that was
 * under way when it crashed may have been carried out or not; the caller is told neither.
 */
export class SimulatedDatabase {
  readonly machine = new Machine('database');
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  #isUp = true;
  #crashes = 0;

  constructor(scheduler: Scheduler, network: Network) {
    this.#scheduler = scheduler;
    this.#network = network;
  }

  crash(ms: number): void {
    this.#isUp = false;
    this.#crashes += 1;
    this.#scheduler.at(ms, this.machine, () => {
      this.#isUp = true;
    });
  }

  /** The store as a node reaches it. A node that is gone gets no answer, but what it asked for is done. */
  through<Store extends object>(node: Machine, store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => this.#call(node, () => Reflect.apply(method, target, args));
      },
    });
  }

  async #call(node: Machine, run: () => unknown): Promise<unknown> {
    const crashes = this.#crashes;
    await this.#hop(this.machine);
    if (!this.#isUp || this.#network.isCut(node, this.machine)) throw await this.#failure(node);
    const happens = crashes === this.#crashes || this.#scheduler.random.once(2);
    // What it answers is apart from what it keeps, as over a wire.
    const result = happens ? structuredClone(await run()) : undefined;
    await this.#hop(node);
    if (crashes !== this.#crashes || this.#network.isCut(node, this.machine)) throw await this.#failure(node);
    return result;
  }

  async #failure(node: Machine): Promise<AppError> {
    await this.#hop(node);
    return new AppError('database-unavailable');
  }

  #hop(machine: Machine): Promise<void> {
    return new Promise((resolve) => this.#scheduler.at(this.#network.delayMs() / 10, machine, resolve));
  }
}
