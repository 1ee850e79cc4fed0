import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { RateLimiter } from '../../kernel/rate-limit.ts';
import { addressKey } from './addresses.ts';
import type { AttemptLimits } from './types.ts';

const defaults: AttemptLimits = {
  loginPair: { burst: 10, perSecond: 1 / 60 },
  loginAccount: { burst: 100, perSecond: 1 / 30 },
  loginAddress: { burst: 50, perSecond: 1 / 5 },
  codePhone: { burst: 3, perSecond: 1 / 600 },
  codeAddress: { burst: 10, perSecond: 1 / 60 },
  export: { burst: 3, perSecond: 1 / 600 },
};

/** Bounds guessing. What is counted never depends on whether the account exists. */
export class Attempts {
  readonly #pair: RateLimiter;
  readonly #account: RateLimiter;
  readonly #address: RateLimiter;
  readonly #codePhone: RateLimiter;
  readonly #codeAddress: RateLimiter;
  readonly #export: RateLimiter;

  constructor(clock: Clock, overrides: Partial<AttemptLimits> = {}) {
    const limits = { ...defaults, ...overrides };
    this.#pair = new RateLimiter(clock, limits.loginPair);
    this.#account = new RateLimiter(clock, limits.loginAccount);
    this.#address = new RateLimiter(clock, limits.loginAddress);
    this.#codePhone = new RateLimiter(clock, limits.codePhone);
    this.#codeAddress = new RateLimiter(clock, limits.codeAddress);
    this.#export = new RateLimiter(clock, limits.export);
  }

  /**
   * Counts before the password is looked at, so that guesses sent all at once are counted too. `account` is what the
   * caller named, known or not.
   */
  login(account: string, address: string): void {
    take(this.#address, addressKey(address));
    take(this.#pair, pairKey(account, address));
    take(this.#account, account);
  }

  /** The address keeps its count: otherwise an own account in between would buy new guesses at others. */
  loginSucceeded(account: string, address: string): void {
    this.#pair.reset(pairKey(account, address));
    this.#account.reset(account);
  }

  sendCode(phone: string, address: string): void {
    take(this.#codeAddress, addressKey(address));
    take(this.#codePhone, phone);
  }

  exportData(accountId: string): void {
    take(this.#export, accountId);
  }
}

function pairKey(account: string, address: string): string {
  return `${account} ${addressKey(address)}`;
}

function take(limiter: RateLimiter, key: string): void {
  const retryAfterSeconds = limiter.take(key);
  if (retryAfterSeconds > 0) throw new AppError('rate-limited', { retryAfterSeconds });
}
