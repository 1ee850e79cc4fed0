import { type CounterName, type Increment, METRICS, type Metric } from './types.ts';

const maxChanged = 20_000;

interface Pending {
  readonly xid: number;
  readonly delta: number;
}

export const keyOf = (id: string, metric: Metric): string => `${id}:${METRICS[metric]}`;

/**
 * What this process has committed and the totals do not hold yet, so that people see their own increments at once.
 *
 * A total of revision R holds every transaction before R, so an increment of transaction X is missing from it exactly
 * if X >= R: it is never counted twice, and never left out.
 */
export class Overlay {
  readonly #pending = new Map<string, Pending[]>();
  /** Of each subject, the version that its last change made; the oldest are forgotten first. */
  readonly #changed = new Map<string, number>();
  #forgottenVersion = 0;
  #settledAt = 0;
  #version = 0;

  /** Changes with everything that changes here. */
  get version(): number {
    return this.#version;
  }

  /** Changes when something was forgotten: a total that was read before must not be completed afterwards. */
  get settledAt(): number {
    return this.#settledAt;
  }

  add(xid: number, increments: Iterable<Increment>): void {
    this.#version += 1;
    for (const { id, metric, delta } of increments) {
      this.#noteChange(id);
      const key = keyOf(id, metric);
      const list = this.#pending.get(key);
      if (list) list.push({ xid, delta });
      else this.#pending.set(key, [{ xid, delta }]);
    }
  }

  /** These have changed in the read copy: what others counted as well. */
  touch(subjects: readonly { readonly id: string }[]): void {
    this.#version += 1;
    for (const { id } of subjects) this.#noteChange(id);
  }

  /** The version after which nothing was counted about this subject here; perhaps a later one. */
  changedAt(id: string): number {
    return this.#changed.get(id) ?? this.#forgottenVersion;
  }

  #noteChange(id: string): void {
    this.#changed.delete(id);
    this.#changed.set(id, this.#version);
    if (this.#changed.size <= maxChanged) return;
    const [oldest] = this.#changed;
    if (!oldest) return;
    this.#changed.delete(oldest[0]);
    this.#forgottenVersion = oldest[1];
  }

  /** What is to be added to a total of this revision. */
  missing({ id, metric }: CounterName, revision: number): number {
    let sum = 0;
    for (const { xid, delta } of this.#pending.get(keyOf(id, metric)) ?? [])
      if (xid >= revision) sum += delta;
    return sum;
  }

  /** Forgets what every reader finds in the totals by now: transactions before this one. */
  settle(revision: number): void {
    if (revision <= this.#settledAt) return;
    this.#settledAt = revision;
    this.#version += 1;
    for (const [key, list] of this.#pending) {
      const left = list.filter(({ xid }) => xid >= revision);
      if (left.length === 0) this.#pending.delete(key);
      else if (left.length < list.length) this.#pending.set(key, left);
    }
  }

  get size(): number {
    return this.#pending.size;
  }
}
