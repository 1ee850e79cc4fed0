import type { LimitClass } from '@hvideo/protocol';
import { addressKey } from '../../features/accounts/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { type RateLimit, RateLimiter } from '../../kernel/rate-limit.ts';

/** Budgets of one account; an address, behind which many people may sit, has `addressFactor` times as much. */
const accountLimits: Readonly<Record<LimitClass, RateLimit>> = {
  read: { burst: 240, perSecond: 40 },
  write: { burst: 60, perSecond: 5 },
  // A queue of messages that were written offline comes at once.
  message: { burst: 200, perSecond: 10 },
  auth: { burst: 20, perSecond: 0.2 },
  code: { burst: 3, perSecond: 1 / 60 },
  upload: { burst: 200, perSecond: 40 },
};
const addressFactor = 5;

/** Draws on the budgets of the caller's account and address, or refuses with `rate-limited`. */
export class RequestLimits {
  readonly #byAccount: Readonly<Record<LimitClass, RateLimiter>>;
  readonly #byAddress: Readonly<Record<LimitClass, RateLimiter>>;

  constructor(clock: Clock) {
    const limiters = (factor: number) =>
      Object.fromEntries(
        Object.entries(accountLimits).map(([name, { burst, perSecond }]) => [
          name,
          new RateLimiter(clock, { burst: burst * factor, perSecond: perSecond * factor }),
        ]),
      ) as Record<LimitClass, RateLimiter>;
    this.#byAccount = limiters(1);
    this.#byAddress = limiters(addressFactor);
  }

  take(limit: LimitClass, caller: { accountId: string | undefined; address: string }): void {
    const wait =
      this.#byAddress[limit].take(addressKey(caller.address)) ||
      (caller.accountId ? this.#byAccount[limit].take(caller.accountId) : 0);
    if (wait > 0) throw new AppError('rate-limited', { retryAfterSeconds: wait });
  }
}
