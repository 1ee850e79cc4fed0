import { AsyncLocalStorage } from 'node:async_hooks';
import type { Announcements } from '../../src/ports/announcements/port.ts';
import type { Database, SqlQuery } from '../../src/ports/database/port.ts';
import type { TimelineStore } from '../../src/ports/timeline-store/port.ts';

interface Task {
  readonly name: string;
  isDead: boolean;
  end(): void;
}

interface Gate {
  readonly task: Task;
  readonly label: string;
  open(): void;
}

const quietWithinMs = 10_000;

/**
 * Tasks in which nothing happens by itself: before and after everything that a task does outside of its process it waits
 * at a gate, and a test opens one at a time. What is done outside of tasks is not held up.
 */
export class Gates {
  readonly trace: string[] = [];
  readonly #current = new AsyncLocalStorage<Task>();
  readonly #gates: Gate[] = [];
  readonly #tasks = new Set<Task>();
  /** Calls that were let through and have not come back. */
  #running = 0;
  #moves = 0;
  #whenMoved: () => void = () => {};

  get waiting(): number {
    return this.#gates.length;
  }

  /** Begins; goes on when its gates are opened. `undefined`: it was killed. */
  async begin<T>(
    name: string,
    work: () => Promise<T>,
  ): Promise<{ readonly outcome: Promise<T | undefined> }> {
    const killed = Promise.withResolvers<undefined>();
    const task: Task = { name, isDead: false, end: () => killed.resolve(undefined) };
    this.trace.push(`begin ${name}`);
    this.#tasks.add(task);
    const done = this.#current.run(task, work).finally(() => this.#end(task));
    const outcome = Promise.race([done, killed.promise]);
    // Whoever awaits the outcome hears of it.
    outcome.catch(() => undefined);
    await this.#quiet();
    return { outcome };
  }

  async step(which: number): Promise<void> {
    const [gate] = this.#gates.splice(which % Math.max(1, this.#gates.length), 1);
    if (!gate) return;
    this.trace.push(`${gate.task.name}: ${gate.label}`);
    gate.open();
    await this.#quiet();
  }

  /** One task to its end, while all others stand still; or until it waits for another. */
  async through(which: number): Promise<void> {
    const task = this.#gates[which % Math.max(1, this.#gates.length)]?.task;
    for (;;) {
      const at = this.#gates.findIndex((gate) => gate.task === task);
      if (at < 0) return;
      await this.step(at);
    }
  }

  /** A task whose name begins like this does nothing more. */
  kill(prefix: string): boolean {
    const task = [...this.#tasks].find(({ name }) => name.startsWith(prefix));
    if (!task) return false;
    this.trace.push(`kill ${task.name}`);
    task.isDead = true;
    for (const gate of [...this.#gates])
      if (gate.task === task) this.#gates.splice(this.#gates.indexOf(gate), 1);
    this.#end(task);
    return true;
  }

  /** Lets everything go on to its end, and what it has begun behind it. */
  async drain(): Promise<void> {
    const endMs = performance.now() + quietWithinMs;
    while (this.#tasks.size > 0 || this.#gates.length > 0) {
      if (this.#gates.length > 0) await this.step(0);
      else await this.#moved(endMs);
    }
  }

  /** Its statements; a transaction is one step. `isOpen`: they are waited for, and never held up. */
  database(db: Database, isOpen = false): Database {
    const through = <T>(label: string, work: () => PromiseLike<T>) =>
      isOpen ? this.#count(work) : this.#through(label, work);
    const gated = <T>(query: SqlQuery<T>): SqlQuery<T> =>
      new Proxy(query, {
        get: (target, name) => {
          if (name === 'then')
            return (...then: Parameters<PromiseLike<T>['then']>) =>
              through('statement', () => target).then(...then);
          if (name === 'withSignal')
            return (signal: AbortSignal | undefined) => gated(target.withSignal(signal));
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    const sql = new Proxy(db.sql, { apply: (tag, self, parts) => gated(Reflect.apply(tag, self, parts)) });
    return {
      sql,
      transaction: (work, options) => through('transaction', () => db.transaction(work, options)),
      write: (idempotency, work) => through('write', () => db.write(idempotency, work)),
    };
  }

  store(store: TimelineStore): TimelineStore {
    return {
      begin: (...all) => this.#through('begin', () => store.begin(...all)),
      merge: (...all) => this.#through('merge', () => store.merge(...all)),
      push: (...all) => this.#through('push', () => store.push(...all)),
      read: (...all) => this.#through('read', async () => store.read(...all)),
      remove: (...all) => this.#through('remove', () => store.remove(...all)),
      drop: (...all) => this.#through('drop', () => store.drop(...all)),
      stats: () => store.stats(),
    };
  }

  announcements(inner: Announcements): Announcements {
    return {
      follow: (kind, follower) => inner.follow(kind, follower),
      announce: (...all) => this.#through('announce', () => inner.announce(...all)),
      catchUp: (options) => {
        const task = this.#current.getStore();
        if (!task) return inner.catchUp(options);
        // A reset is made of statements, which wait by themselves, maybe in another task.
        return this.#wait(task, 'catch up').then(() => inner.catchUp(options));
      },
      beginAnew: (options) => inner.beginAnew(options),
    };
  }

  async #through<T>(label: string, work: () => PromiseLike<T>): Promise<T> {
    const task = this.#current.getStore();
    if (!task) return work();
    await this.#wait(task, label);
    try {
      return await this.#count(work);
    } finally {
      await this.#wait(task, `${label}, done`);
    }
  }

  async #count<T>(work: () => PromiseLike<T>): Promise<T> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#move();
    }
  }

  #wait(task: Task, label: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!task.isDead) this.#gates.push({ task, label, open: resolve });
    this.#move();
    return promise;
  }

  #end(task: Task): void {
    this.#tasks.delete(task);
    task.end();
    this.#move();
  }

  #move(): void {
    this.#moves += 1;
    this.#whenMoved();
  }

  /** What was let through has come back, and everybody waits. */
  async #quiet(): Promise<void> {
    const endMs = performance.now() + quietWithinMs;
    for (let [still, seen] = [0, -1]; still < 2; ) {
      if (this.#running > 0) await this.#moved(endMs);
      await new Promise((resolve) => setImmediate(resolve));
      still = seen === this.#moves ? still + 1 : 0;
      seen = this.#moves;
    }
  }

  async #moved(endMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const left = Math.max(0, endMs - performance.now());
    const late = setTimeout(() => reject(new Error(`nothing moves:\n${this.trace.join('\n')}`)), left);
    this.#whenMoved = resolve;
    await promise.finally(() => clearTimeout(late));
  }
}
