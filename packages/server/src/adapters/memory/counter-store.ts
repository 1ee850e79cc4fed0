import type { Clock } from '../../kernel/clock.ts';
import type { CounterKey, CounterStore, CounterTotal } from '../../ports/counter-store/port.ts';

interface Entry extends CounterTotal {
  readonly untilMs: number;
}

export interface MemoryCounterStoreOptions {
  readonly maxEntries?: number;
  /** How long a total is kept at most. */
  readonly maxAgeMs?: number;
}

/**
 * Counters of this process, for a second: where several processes fold and share no read copy, nobody tells this one of
 * the others' totals, and so it forgets its own.
 */
export class MemoryCounterStore implements CounterStore {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #maxAgeMs: number;
  /** Oldest first: an entry that is replaced goes to the end. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, { maxEntries = 50_000, maxAgeMs = 1_000 }: MemoryCounterStoreOptions = {}) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#maxAgeMs = maxAgeMs;
  }

  async read(keys: readonly CounterKey[]): Promise<(CounterTotal | undefined)[]> {
    const nowMs = this.#clock.monotonicMs();
    return keys.map((key) => {
      const entry = this.#entries.get(nameOf(key));
      return entry && entry.untilMs > nowMs ? { total: entry.total, revision: entry.revision } : undefined;
    });
  }

  async putNewer(totals: readonly (CounterKey & CounterTotal)[]): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const untilMs = nowMs + this.#maxAgeMs;
    for (const { id, metric, total, revision } of totals) {
      const name = nameOf({ id, metric });
      const known = this.#entries.get(name);
      if (known && known.untilMs > nowMs && known.revision >= revision) continue;
      this.#entries.delete(name);
      this.#entries.set(name, { total, revision, untilMs });
    }
    for (const [name, { untilMs: until }] of this.#entries) {
      if (this.#entries.size <= this.#maxEntries && until > nowMs) break;
      this.#entries.delete(name);
    }
  }
}

const nameOf = ({ id, metric }: CounterKey): string => `${id}:${metric}`;
