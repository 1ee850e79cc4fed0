import { createPublicKey } from 'node:crypto';
import { importPKCS8, importSPKI, errors as joseErrors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MacKeys } from '../../kernel/mac.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { AccountKeys, Viewer } from './types.ts';

const ALGORITHM = 'EdDSA';
const ISSUER = 'hvideo';
const TYPE = 'at+jwt';
const MAX_CACHED_TOKENS = 20_000;

const Claims = z.object({ sub: z.string(), sid: z.string(), exp: z.int() });

export interface AccessClaims {
  readonly accountId: string;
  readonly sessionId: string;
  /** Unix time at which the token ends. */
  readonly expiresMs: number;
}

/** Signs and checks access tokens; says nothing about whether the login still stands. */
export class AccessTokens {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #signing: { readonly kid: string; readonly key: CryptoKey };
  readonly #verifying: ReadonlyMap<string, CryptoKey>;
  /** A check of an Ed25519 signature costs some 100 µs, and a client sends the same token for minutes. */
  readonly #verified: BoundedCache<AccessClaims>;

  private constructor(
    clock: Clock,
    ttlMs: number,
    signing: { kid: string; key: CryptoKey },
    verifying: ReadonlyMap<string, CryptoKey>,
  ) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#signing = signing;
    this.#verifying = verifying;
    this.#verified = new BoundedCache(clock, MAX_CACHED_TOKENS);
  }

  static async load(options: {
    clock: Clock;
    ttlMs: number;
    keys: AccountKeys['jwt'];
  }): Promise<AccessTokens> {
    const [newest] = options.keys;
    if (!newest) throw new TypeError('At least one signing key is needed');
    const verifying = new Map<string, CryptoKey>();
    for (const { kid, privateKeyPem } of options.keys) {
      const publicPem = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString();
      verifying.set(kid, await importSPKI(publicPem, ALGORITHM));
    }
    const signing = { kid: newest.kid, key: await importPKCS8(newest.privateKeyPem, ALGORITHM) };
    return new AccessTokens(options.clock, options.ttlMs, signing, verifying);
  }

  get ttlSeconds(): number {
    return Math.floor(this.#ttlMs / 1000);
  }

  sign(viewer: Viewer): Promise<string> {
    const issuedAt = Math.floor(this.#clock.nowMs() / 1000);
    return new SignJWT({ sid: viewer.sessionId, role: viewer.role })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: this.#signing.kid })
      .setIssuer(ISSUER)
      .setSubject(viewer.accountId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + this.ttlSeconds)
      .sign(this.#signing.key);
  }

  /** What a token says that was checked before and has not expired. */
  remembered(token: string): AccessClaims | undefined {
    return this.#verified.get(token);
  }

  /** Errors: `token-invalid`. */
  async verify(token: string): Promise<AccessClaims> {
    const cached = this.remembered(token);
    if (cached) return cached;
    const claims = await this.check(token);
    this.#verified.set(token, claims, claims.expiresMs - this.#clock.nowMs());
    return claims;
  }

  /** As `verify`, for a token that is not going to come again. */
  async check(token: string): Promise<AccessClaims> {
    try {
      const { payload } = await jwtVerify(token, (header) => this.#keyOf(header.kid), {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        typ: TYPE,
        currentDate: new Date(this.#clock.nowMs()),
      });
      const { sub, sid, exp } = Claims.parse(payload);
      return { accountId: sub, sessionId: sid, expiresMs: exp * 1000 };
    } catch (cause) {
      if (cause instanceof joseErrors.JOSEError || cause instanceof z.ZodError)
        throw new AppError('token-invalid', { cause });
      throw cause;
    }
  }

  #keyOf(kid: string | undefined): CryptoKey {
    const key = this.#verifying.get(kid ?? '');
    if (!key) throw new joseErrors.JWKSNoMatchingKey();
    return key;
  }
}

const LABEL = 'refresh-token';

/** Nothing about it is secret but the tag, which can be made again: that is why no token has to be stored. */
export function refreshTokenOf(macs: MacKeys, sessionId: string, generation: number): string {
  const text = `${sessionId}.${generation}`;
  return `${text}.${macs.sign(LABEL, text)}`;
}

/** Errors: `token-invalid`. */
export function readRefreshToken(macs: MacKeys, token: string): { sessionId: string; generation: number } {
  const match = /^([1-9]\d{0,18})\.([1-9]\d{0,9})\.([\w-]{43})$/.exec(token);
  const [, sessionId = '', generation = '', tag = ''] = match ?? [];
  if (!match || !macs.verify(LABEL, `${sessionId}.${generation}`, tag)) throw new AppError('token-invalid');
  return { sessionId, generation: Number(generation) };
}
