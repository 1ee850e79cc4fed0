import { randomBytes, randomInt } from 'node:crypto';

/** Randomness, injected so that a simulation can replay it from a seed. */
export interface Random {
  /** `count` bytes fit for keys and tokens. */
  bytes(count: number): Uint8Array;
  /** A whole number, 0 <= n < `below` (1 to 2^48 - 1), without bias. */
  integer(below: number): number;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  integer: (below) => randomInt(below),
};

/** `count` random bytes in unpadded base64url: 32 bytes make 43 characters. */
export function randomToken(random: Random, count = 32): string {
  return Buffer.from(random.bytes(count)).toString('base64url');
}
