/** What was given to the store in vain may be stored a little later: so many turns of a second it is looked at. */
const turns = 3;
const maxSuspects = 10_000;

/**
 * Conversations that may hold something that nobody told, such as a commit whose answer was lost, or one of a node that died.
 * Other nodes are told of them once; what they tell is not passed on.
 */
export class Suspects {
  readonly #left = new Map<string, number>();
  readonly #untold = new Set<string>();

  /** Found out here. */
  add(conversationIds: readonly string[]): void {
    this.heard(conversationIds);
    for (const id of conversationIds) if (this.#untold.size < maxSuspects) this.#untold.add(id);
  }

  heard(conversationIds: readonly string[]): void {
    for (const id of conversationIds)
      if (this.#left.size < maxSuspects || this.#left.has(id)) this.#left.set(id, turns);
  }

  takeUntold(): string[] {
    const untold = [...this.#untold];
    this.#untold.clear();
    return untold;
  }

  /** What a turn has to look at; it counts when `look` has succeeded. */
  async turn(look: (conversationIds: readonly string[]) => Promise<void>): Promise<void> {
    const looked = [...this.#left];
    if (looked.length === 0) return;
    await look(looked.map(([id]) => id));
    for (const [id, left] of looked) {
      // Suspected again meanwhile: it begins anew.
      if (this.#left.get(id) !== left) continue;
      if (left > 1) this.#left.set(id, left - 1);
      else this.#left.delete(id);
    }
  }
}
