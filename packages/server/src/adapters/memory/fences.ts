import type { Fences, LoadFences } from '../../ports/fences/port.ts';

/** Fences of a process that shares its caches with no other. */
export class MemoryFences implements Fences {
  readonly #names: Set<string>;

  private constructor(names: readonly string[]) {
    this.#names = new Set(names);
  }

  static async open(load: LoadFences): Promise<MemoryFences> {
    return new MemoryFences(await load());
  }

  async raise(names: readonly string[]): Promise<void> {
    for (const name of names) this.#names.add(name);
  }

  isRaised(name: string): boolean {
    return this.#names.has(name);
  }
}
