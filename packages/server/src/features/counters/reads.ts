import type { Logger } from '../../kernel/log.ts';
import type { CounterKey, CounterStore, CounterTotal } from '../../ports/counter-store/port.ts';
import type { Database } from '../../ports/database/port.ts';
import type { Overlay } from './overlay.ts';
import { readTotals, type StoredTotal } from './store.ts';
import { type CounterName, METRICS } from './types.ts';

export interface CounterReadsDeps {
  readonly db: Database;
  readonly store: CounterStore;
  readonly overlay: Overlay;
  readonly log: Logger;
}

export class CounterReads {
  readonly #deps: CounterReadsDeps;

  constructor(deps: CounterReadsDeps) {
    this.#deps = deps;
  }

  async read(names: readonly CounterName[], signal: AbortSignal | undefined): Promise<number[]> {
    const { overlay } = this.#deps;
    const keys = names.map(({ id, metric }) => ({ id, metric: METRICS[metric] }));
    for (;;) {
      const { settledAt } = overlay;
      const totals = await this.#totals(keys, signal);
      // What the overlay forgot meanwhile may be missing from totals that were read before.
      if (overlay.settledAt !== settledAt) continue;
      return names.map((name, at) => {
        const { total, revision } = totals[at]!;
        return total + overlay.missing(name, revision);
      });
    }
  }

  async #totals(keys: readonly CounterKey[], signal: AbortSignal | undefined): Promise<CounterTotal[]> {
    const { db, log, store } = this.#deps;
    const stored = await store.read(keys, { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      log.warn({ err: error }, 'counters are read from the database');
      return keys.map(() => undefined);
    });
    const missing = keys.filter((_, at) => !stored[at]);
    if (missing.length === 0) return stored.map((total) => total!);
    const found = new Map((await readTotals(db, missing, signal)).map((each) => [nameOf(each), each]));
    const filled = missing.map(
      (key): StoredTotal => found.get(nameOf(key)) ?? { ...key, total: 0, revision: 0 },
    );
    await store.putNewer(filled, { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      log.warn({ err: error }, 'counters could not be copied');
    });
    const byName = new Map(filled.map((each) => [nameOf(each), each]));
    return keys.map((key, at) => stored[at] ?? byName.get(nameOf(key))!);
  }
}

const nameOf = ({ id, metric }: CounterKey): string => `${id}:${metric}`;
