import { AppError } from '../../../src/kernel/errors.ts';
import type { Send } from '../../../src/ports/message-store/port.ts';
import type { Network } from './network.ts';
import { Machine, type Scheduler } from './scheduler.ts';

/** How long a transaction waits for what another one holds. */
const lockMs = 1_500;

/**
 * The database between the nodes and the memory stores: calls take time, and while it is down they fail. A call that was
 * under way when it crashed may have been carried out or not; the caller is told neither. Sends to a conversation that
 * somebody holds wait for that, and all of their batch with them.
 */
export class SimulatedDatabase {
  readonly machine = new Machine('database');
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  #isUp = true;
  #crashes = 0;
  /** By conversation: until when. */
  readonly #held = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  readonly #committing = new Map<Machine, number>();
  /** Batches that a node gave while another one of its own was under way. */
  sideBySide = 0;

  constructor(scheduler: Scheduler, network: Network) {
    this.#scheduler = scheduler;
    this.#network = network;
  }

  crash(ms: number): void {
    this.#isUp = false;
    this.#crashes += 1;
    this.#held.clear();
    for (const goOn of this.#waiting) goOn();
    this.#scheduler.at(ms, this.machine, () => {
      this.#isUp = true;
    });
  }

  /** A long transaction of somebody else locks a conversation. */
  hold(conversationId: string, ms: number): void {
    const untilMs = this.#scheduler.nowMs + ms;
    this.#held.set(conversationId, Math.max(untilMs, this.#held.get(conversationId) ?? 0));
  }

  /** The store as a node reaches it. A node that is gone gets no answer, but what it asked for is done. */
  through<Store extends object>(node: Machine, store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== 'function') return method;
        const run = (args: unknown[]) => Reflect.apply(method, target, args);
        if (name === 'commit')
          return (sends: readonly Send[]) => this.#commit(node, sends, () => run([sends]));
        return (...args: unknown[]) => this.#call(node, () => run(args));
      },
    });
  }

  async #commit(node: Machine, sends: readonly Send[], run: () => unknown): Promise<unknown> {
    const others = this.#committing.get(node) ?? 0;
    if (others > 0) this.sideBySide += 1;
    this.#committing.set(node, others + 1);
    try {
      return await this.#call(node, run, () => this.#untilFree(sends));
    } finally {
      this.#committing.set(node, (this.#committing.get(node) ?? 1) - 1);
    }
  }

  /** False: it waited too long, and nothing was stored. */
  async #untilFree(sends: readonly Send[]): Promise<boolean> {
    const lastMs = this.#scheduler.nowMs + lockMs;
    for (;;) {
      const { nowMs } = this.#scheduler;
      const untilMs = Math.max(...sends.map(({ conversationId }) => this.#held.get(conversationId) ?? 0));
      if (untilMs <= nowMs) return true;
      if (lastMs <= nowMs) return false;
      await new Promise<void>((resolve) => {
        const goOn = () => {
          this.#waiting.delete(goOn);
          resolve();
        };
        this.#waiting.add(goOn);
        this.#scheduler.at(Math.min(untilMs, lastMs) - nowMs, this.machine, goOn);
      });
    }
  }

  async #call(node: Machine, run: () => unknown, untilFree = async () => true): Promise<unknown> {
    const crashes = this.#crashes;
    await this.#hop(this.machine);
    if (!this.#isUp || this.#network.isCut(node, this.machine)) throw await this.#failure(node);
    if (!(await untilFree())) throw await this.#failure(node, 'timeout');
    const happens = crashes === this.#crashes || this.#scheduler.random.once(2);
    // What it answers is apart from what it keeps, as over a wire.
    const result = happens ? structuredClone(await run()) : undefined;
    await this.#hop(node);
    if (crashes !== this.#crashes || this.#network.isCut(node, this.machine)) throw await this.#failure(node);
    return result;
  }

  async #failure(node: Machine, code: 'timeout' | 'database-unavailable' = 'database-unavailable') {
    await this.#hop(node);
    return new AppError(code);
  }

  #hop(machine: Machine): Promise<void> {
    return new Promise((resolve) => this.#scheduler.at(this.#network.delayMs() / 10, machine, resolve));
  }
}
