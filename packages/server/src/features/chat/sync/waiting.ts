import { AppError } from '../../../kernel/errors.ts';

/** Open tabs and devices of one account; more is a client that does not close its requests. */
export const MAX_WAITING_OF_ACCOUNT = 20;
export const MAX_WAITING = 20_000;

/** Counts the long polls under way. */
export class WaitingPlaces {
  readonly #byAccount = new Map<string, number>();
  #all = 0;

  get taken(): number {
    return this.#all;
  }

  /** Errors: `rate-limited` (of the account), `overloaded` (of the node). */
  take(accountId: string): Disposable {
    const own = this.#byAccount.get(accountId) ?? 0;
    if (own >= MAX_WAITING_OF_ACCOUNT)
      throw new AppError('rate-limited', { detail: 'Too many long polls at once', retryAfterSeconds: 5 });
    if (this.#all >= MAX_WAITING) throw new AppError('overloaded', { retryAfterSeconds: 5 });
    this.#byAccount.set(accountId, own + 1);
    this.#all += 1;
    return { [Symbol.dispose]: () => this.#leave(accountId) };
  }

  #leave(accountId: string): void {
    this.#all -= 1;
    const own = (this.#byAccount.get(accountId) ?? 0) - 1;
    if (own > 0) this.#byAccount.set(accountId, own);
    else this.#byAccount.delete(accountId);
  }
}
