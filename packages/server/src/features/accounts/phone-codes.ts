import type { Locale } from '@hvideo/protocol';
import { AppError } from '../../kernel/errors.ts';
import type { MacKeys } from '../../kernel/mac.ts';
import type { Sql } from '../../ports/database/port.ts';
import type { Attempts } from './attempts.ts';
import type { AccountDeps, Caller } from './types.ts';

const TTL_MS = 10 * 60_000;
const TRIES = 5;
const LABEL = 'phone-code';

/** A code that was right; used up by the transaction that acts on it. */
export interface ProvenPhone {
  readonly phone: string;
  readonly codeMac: string;
}

/** Six digits that prove a phone number. */
export class PhoneCodes {
  readonly #deps: AccountDeps;
  readonly #macs: MacKeys;
  readonly #attempts: Attempts;

  constructor(deps: AccountDeps, macs: MacKeys, attempts: Attempts) {
    this.#deps = deps;
    this.#macs = macs;
    this.#attempts = attempts;
  }

  /** Does the same for every number, known or not: joining needs a code as well as logging in. */
  async send(phone: string, locale: Locale, caller: Caller): Promise<void> {
    const { clock, random, db, codeSender, log } = this.#deps;
    this.#attempts.sendCode(phone, caller.address);
    const code = String(random.integer(1_000_000)).padStart(6, '0');
    const mac = this.#macs.sign(LABEL, `${phone}:${code}`);
    await db.sql`
      insert into phone_code (phone, code_mac, tries_left, expires_at)
      values (${phone}, ${mac}, ${TRIES}, ${new Date(clock.nowMs() + TTL_MS)})
      on conflict (phone) do update
      set code_mac = excluded.code_mac, tries_left = excluded.tries_left, expires_at = excluded.expires_at`;
    try {
      await codeSender.send({ phone, code, expiresInSeconds: TTL_MS / 1000, locale });
    } catch (error) {
      // The port says so: a caller who learned of it could probe numbers.
      log.error({ err: error }, 'a log-in code could not be sent');
    }
  }

  /**
   * Takes a try before it compares, and keeps that whatever becomes of the request: codes sent all at once are five
   * tries too. Errors: `bad-code`.
   */
  async prove(phone: string, code: string): Promise<ProvenPhone> {
    const { clock, db } = this.#deps;
    const [row] = await db.sql<{ code_mac: string }>`
      update phone_code set tries_left = tries_left - 1
      where phone = ${phone} and tries_left > 0 and expires_at > ${new Date(clock.nowMs())}
      returning code_mac`;
    if (!row || !this.#macs.verify(LABEL, `${phone}:${code}`, row.code_mac)) throw new AppError('bad-code');
    return { phone, codeMac: row.code_mac };
  }

  /** Errors: `bad-code` when another request was faster. */
  async use(tx: Sql, { phone, codeMac }: ProvenPhone): Promise<void> {
    const [used] = await tx`
      delete from phone_code where phone = ${phone} and code_mac = ${codeMac} returning 1 as one`;
    if (!used) throw new AppError('bad-code');
  }
}
