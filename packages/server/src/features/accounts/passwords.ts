import { PASSWORD_MIN } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import { commonPasswords } from './common-passwords.ts';

/** OWASP's first choice for argon2id; 20-30 ms on a laptop's core. */
const cost = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;
/** 19 MiB each: what runs at once is what a burst of log-ins may take. */
const MAX_CONCURRENT = 4;
const MAX_WAITING = 200;

export function checkPassword(password: string, username: string): void {
  const plain = password.normalize('NFKC').toLowerCase();
  const distinct = new Set(plain).size;
  const weak =
    commonPasswords.has(plain) ||
    distinct < 4 ||
    (plain.includes(username) && plain.length < username.length + 4);
  if (weak || [...plain].length < PASSWORD_MIN) {
    throw new AppError('weak-password', {
      fields: { password: 'is among the first that anybody would try' },
    });
  }
}

/** argon2id, a bounded number at once; the next ones wait in line, and past a bound callers are sent away. */
export class PasswordHasher {
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #decoy: Promise<string> | undefined;

  hash(password: string): Promise<string> {
    return this.#inTurn(() => Bun.password.hash(normalized(password), cost));
  }

  /** Takes the same work for `null` (no such account, or one without a password) as for a wrong password. */
  async verify(password: string, hash: string | null): Promise<boolean> {
    this.#decoy ??= Bun.password.hash('no password has this hash', cost);
    const against = hash ?? (await this.#decoy);
    const matches = await this.#inTurn(() => Bun.password.verify(normalized(password), against));
    return matches && hash !== null;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_CONCURRENT) {
      if (this.#waiting.length >= MAX_WAITING) throw new AppError('rate-limited', { retryAfterSeconds: 2 });
      // Whoever ends hands its turn over, so `#running` stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}

/** The same password typed on another keyboard has to be the same password. */
function normalized(password: string): string {
  return password.normalize('NFKC');
}
