/** What was given to the store in vain may be stored a little later: so many turns of a second it is looked at. */
const turns = 3;
const maxSuspects = 10_000;
const maxAccounts = 100_000;
/** Conversations and accounts in one message of the bus. */
const namesAtOnce = 20_000;

/** A conversation that may hold something that nobody told. */
export interface Suspicion {
  readonly conversationId: string;
  /** Those who may have come into it or left it. */
  readonly accountIds?: readonly string[];
}

interface Suspect {
  left: number;
  accountIds: readonly string[];
}

/**
 * Conversations that may hold something that nobody told, such as a commit whose answer was lost, or one of a node that died.
 * Other nodes are told of them once; what they tell is not passed on.
 */
export class Suspects {
  readonly #suspects = new Map<string, Suspect>();
  readonly #untold = new Map<string, Suspicion>();
  #accounts = 0;

  /** Found out here. */
  add(suspicions: readonly Suspicion[]): void {
    this.heard(suspicions);
    for (const { conversationId } of suspicions) {
      const accountIds = this.#suspects.get(conversationId)?.accountIds ?? [];
      if (this.#untold.size < maxSuspects)
        this.#untold.set(conversationId, { conversationId, ...(accountIds.length > 0 && { accountIds }) });
    }
  }

  heard(suspicions: readonly Suspicion[]): void {
    for (const { conversationId, accountIds = [] } of suspicions) {
      const known = this.#suspects.get(conversationId);
      if (!known && this.#suspects.size >= maxSuspects) continue;
      const further = accountIds.filter((id) => !known?.accountIds.includes(id));
      const taken = this.#accounts + further.length <= maxAccounts ? further : [];
      this.#accounts += taken.length;
      this.#suspects.set(conversationId, {
        left: turns,
        accountIds: [...(known?.accountIds ?? []), ...taken],
      });
    }
  }

  /** As much as one message holds. */
  takeUntold(): Suspicion[] {
    const taken: Suspicion[] = [];
    let names = 0;
    for (const [id, suspicion] of this.#untold) {
      names += 1 + (suspicion.accountIds?.length ?? 0);
      if (names > namesAtOnce && taken.length > 0) break;
      taken.push(suspicion);
      this.#untold.delete(id);
    }
    return taken;
  }

  /** What a turn has to look at; it counts when `look` has succeeded. */
  async turn(look: (suspicions: readonly Required<Suspicion>[]) => Promise<void>): Promise<void> {
    const looked = [...this.#suspects];
    if (looked.length === 0) return;
    await look(looked.map(([conversationId, { accountIds }]) => ({ conversationId, accountIds })));
    for (const [id, suspect] of looked) {
      // Suspected again meanwhile: it begins anew.
      if (this.#suspects.get(id) !== suspect) continue;
      suspect.left -= 1;
      if (suspect.left > 0) continue;
      this.#suspects.delete(id);
      this.#accounts -= suspect.accountIds.length;
    }
  }
}
