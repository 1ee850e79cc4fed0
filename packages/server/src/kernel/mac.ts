import { createHmac, timingSafeEqual } from 'node:crypto';

export interface MacKey {
  readonly kid: string;
  /** 32 random bytes or more, base64url. */
  readonly secret: string;
}

/**
 * HMAC-SHA-256 under keys that can be rotated: the first signs, all verify. Every use has its own `label`, so that a
 * tag made for one purpose is worth nothing for another.
 */
export class MacKeys {
  readonly #keys: readonly Buffer[];

  /** `keys`: newest first. */
  constructor(keys: readonly MacKey[]) {
    if (keys.length === 0) throw new TypeError('At least one key is needed');
    this.#keys = keys.map(({ secret }) => Buffer.from(secret, 'base64url'));
  }

  /** 43 characters of base64url. */
  sign(label: string, text: string): string {
    return tagOf(this.#keys[0]!, label, text).toString('base64url');
  }

  /** Takes the same time wherever a wrong tag differs. */
  verify(label: string, text: string, tag: string): boolean {
    const given = Buffer.from(tag, 'base64url');
    let valid = false;
    for (const key of this.#keys) {
      const expected = tagOf(key, label, text);
      if (given.length === expected.length && timingSafeEqual(given, expected)) valid = true;
    }
    return valid;
  }
}

function tagOf(key: Buffer, label: string, text: string): Buffer {
  return createHmac('sha256', key).update(`${label}\0${text}`).digest();
}
