import { AppError } from '../../kernel/errors.ts';
import { MAX_ACCOUNTS, type NodeIdentity, type RouteTable } from '../../ports/route-table/port.ts';

export interface MemoryRoutesOptions {
  readonly clock: { monotonicMs(): number };
  readonly ttlMs?: number;
}

interface Held {
  readonly name: string;
  readonly generation: number;
  readonly accounts: Set<string>;
  untilMs: number;
}

const nobody: readonly string[] = [];

/** The table of a process that is alone: there is nobody to be found, and nothing has to be kept. */
export const aloneRouteTable: RouteTable = {
  isAlone: true,
  add: () => {},
  remove: () => {},
  renew: () => true,
  nodesOf: (accountIds) => accountIds.map(() => nobody),
  [Symbol.asyncDispose]: async () => {},
};

/** One table for several nodes within one process, as in a simulation. */
export class MemoryRoutes {
  readonly #clock: MemoryRoutesOptions['clock'];
  readonly #ttlMs: number;
  readonly #nodes = new Map<number, Held>();

  constructor({ clock, ttlMs = 30_000 }: MemoryRoutesOptions) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  open(name: string, identity: () => NodeIdentity | undefined): RouteTable {
    let own: Held | undefined;
    let hasBegun = false;
    let wasLost = false;
    const mine = () => {
      const { node, generation } = identity() ?? refuse();
      const held = this.#nodes.get(node);
      return {
        node,
        generation,
        held: held && held === own && held.generation === generation ? held : undefined,
      };
    };
    return {
      isAlone: false,
      add: (accountIds) => {
        assertFew(accountIds);
        const { node, generation, held: alive } = mine();
        if (!alive) {
          if ((this.#nodes.get(node)?.generation ?? 0) > generation) return;
          own = { name, generation, accounts: new Set(), untilMs: 0 };
          // What it held before is lost: the next renewal says so.
          wasLost ||= hasBegun;
          hasBegun = true;
          this.#nodes.set(node, own);
        }
        if (!own) return;
        own.untilMs = this.#clock.monotonicMs() + this.#ttlMs;
        for (const id of accountIds) own.accounts.add(id);
      },
      remove: (accountIds) => {
        for (const id of accountIds) mine().held?.accounts.delete(id);
      },
      renew: () => {
        const { held } = mine();
        const isWhole =
          !wasLost && (!hasBegun || (held !== undefined && this.#clock.monotonicMs() < held.untilMs));
        if (held) held.untilMs = this.#clock.monotonicMs() + this.#ttlMs;
        if (!isWhole) {
          hasBegun = false;
          own = undefined;
        }
        wasLost = false;
        return isWhole;
      },
      nodesOf: (accountIds) => {
        assertFew(accountIds);
        const nowMs = this.#clock.monotonicMs();
        const others = [...this.#nodes.values()].filter((held) => held.name !== name && nowMs < held.untilMs);
        return accountIds.map((id) =>
          others.filter(({ accounts }) => accounts.has(id)).map((held) => held.name),
        );
      },
      [Symbol.asyncDispose]: async () => {
        for (const [node, held] of this.#nodes) if (held === own) this.#nodes.delete(node);
      },
    };
  }

  /** Everything is forgotten, as by a server that was started again. */
  lose(): void {
    this.#nodes.clear();
  }
}

function assertFew(accountIds: readonly string[]): void {
  if (accountIds.length > MAX_ACCOUNTS) throw new Error(`${accountIds.length} accounts in one call`);
}

function refuse(): never {
  throw new AppError('timeout', { detail: 'The node has no number' });
}
