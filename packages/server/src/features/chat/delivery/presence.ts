import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import { MAX_ACCOUNTS, type RouteTable } from '../../../ports/route-table/port.ts';
import type { Downlink } from './downlink.ts';

interface Present {
  downlinks: readonly Downlink[];
  /** Those who wait for news without a socket. */
  waiting: Set<() => void> | undefined;
  /** Undefined: the route table knows, or nobody has to be asked. */
  registered: Promise<void> | undefined;
  /** Since when nobody is here; it is kept a little, since most come back. */
  leftMs: number;
}

const keptForMs = 10_000;
const none: readonly Downlink[] = [];

export interface PresenceDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly routes: RouteTable;
  /** From now on other nodes find this one for these accounts; `isLate`: what they had for some of them went elsewhere. */
  readonly registered: (accountIds: readonly string[], isLate: boolean) => void;
}

/** Which accounts have a device here, and how other nodes come to know. */
export class Presence {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #routes: RouteTable;
  readonly #registered: PresenceDeps['registered'];
  readonly #accounts = new Map<string, Present>();
  readonly #left = new Set<string>();
  /** The route table was not reached for them. */
  readonly #late = new Set<string>();
  /** Those of this turn are added in one call. */
  #joining: string[] = [];
  #joined: Promise<void> | undefined;
  #waiters = 0;

  constructor(deps: PresenceDeps) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#routes = deps.routes;
    this.#registered = deps.registered;
  }

  get hasWaiters(): boolean {
    return this.#waiters > 0;
  }

  get accountIds(): Iterable<string> {
    return this.#accounts.keys();
  }

  downlinksOf(accountId: string): readonly Downlink[] {
    return this.#accounts.get(accountId)?.downlinks ?? none;
  }

  add(downlink: Downlink): void {
    const present = this.#of(downlink.device.accountId);
    // As long as it is, and no longer: most have one.
    present.downlinks = [...present.downlinks, downlink];
  }

  remove(downlink: Downlink): void {
    const { accountId } = downlink.device;
    const present = this.#accounts.get(accountId);
    if (!present) return;
    present.downlinks = present.downlinks.filter((each) => each !== downlink);
    this.#checkLeft(accountId, present);
  }

  /** Resolves when every node finds this one for the account. Errors: those of the route table. */
  registered(accountId: string): Promise<void> | undefined {
    return this.#of(accountId).registered;
  }

  /** Calls `wake` once at the next news; the answer ends the waiting. */
  wait(accountId: string, wake: () => void): Disposable {
    const present = this.#of(accountId);
    present.waiting ??= new Set();
    present.waiting.add(wake);
    this.#waiters += 1;
    return {
      [Symbol.dispose]: () => {
        if (!present.waiting?.delete(wake)) return;
        this.#waiters -= 1;
        if (present.waiting.size === 0) present.waiting = undefined;
        this.#checkLeft(accountId, present);
      },
    };
  }

  wake(accountId: string): void {
    const waiting = this.#accounts.get(accountId)?.waiting;
    if (waiting) for (const wake of [...waiting]) wake();
  }

  wakeAll(): void {
    for (const { waiting } of this.#accounts.values()) if (waiting) for (const wake of [...waiting]) wake();
  }

  /** Takes out who has been away for some seconds. */
  async clean(): Promise<void> {
    const beforeMs = this.#clock.monotonicMs() - keptForMs;
    const gone: string[] = [];
    for (const accountId of this.#left) {
      const present = this.#accounts.get(accountId);
      const isHere = !present || present.downlinks.length > 0 || present.waiting !== undefined;
      if (!isHere && present.leftMs > beforeMs) break;
      this.#left.delete(accountId);
      if (isHere) continue;
      this.#accounts.delete(accountId);
      gone.push(accountId);
      if (gone.length === MAX_ACCOUNTS) break;
    }
    if (gone.length > 0) await this.#routes.remove(gone);
  }

  /** Answers false when the table had lost something: it has been added again, and meanwhile nothing was routed here. */
  async renew(): Promise<boolean> {
    if (await this.#routes.renew()) return true;
    const accountIds = [...this.#accounts.keys()];
    for (let from = 0; from < accountIds.length; from += MAX_ACCOUNTS)
      await this.#routes.add(accountIds.slice(from, from + MAX_ACCOUNTS));
    return false;
  }

  #of(accountId: string): Present {
    let present = this.#accounts.get(accountId);
    if (!present) {
      present = { downlinks: none, waiting: undefined, registered: undefined, leftMs: 0 };
      this.#accounts.set(accountId, present);
      this.#register(accountId, present);
    }
    return present;
  }

  #register(accountId: string, present: Present): void {
    if (this.#routes.isAlone) return;
    this.#joining.push(accountId);
    this.#joined ??= Promise.resolve().then(() => this.#join());
    const registered = this.#joined;
    present.registered = registered;
    registered.then(
      () => {
        present.registered = undefined;
      },
      () => this.#again(accountId, present),
    );
  }

  /** The next one who comes tries again; who waits was told. */
  #again(accountId: string, present: Present): void {
    present.registered = undefined;
    if (this.#accounts.get(accountId) !== present) return;
    if (present.downlinks.length > 0 || present.waiting) this.#register(accountId, present);
    else {
      this.#accounts.delete(accountId);
      this.#late.delete(accountId);
    }
  }

  async #join(): Promise<void> {
    const accountIds = this.#joining;
    this.#joining = [];
    this.#joined = undefined;
    try {
      for (let from = 0; from < accountIds.length; from += MAX_ACCOUNTS)
        await this.#routes.add(accountIds.slice(from, from + MAX_ACCOUNTS));
    } catch (error) {
      for (const id of accountIds) this.#late.add(id);
      this.#log.debug({ err: error, accounts: accountIds.length }, 'the route table was not reached');
      // Not at once again: it has just failed.
      await this.#clock.sleep(250);
      throw error;
    }
    const late = accountIds.filter((id) => this.#late.delete(id));
    this.#registered(accountIds, late.length > 0);
  }

  #checkLeft(accountId: string, present: Present): void {
    if (present.downlinks.length > 0 || present.waiting !== undefined) return;
    present.leftMs = this.#clock.monotonicMs();
    this.#left.delete(accountId);
    this.#left.add(accountId);
  }
}
