/**
 * How many different things were seen, in 4 KiB: HyperLogLog (Flajolet et al., AofA 2007) with the estimator of Ertl,
 * "New cardinality estimation algorithms for HyperLogLog sketches" (arXiv:1702.01284), section 4, which needs no
 * correction tables and is unbiased from 0 on. The standard error is 1.04 / sqrt(4096) = 1.6 %.
 *
 * An observation is one number: a register (12 bits) and a rank (6 bits). Sketches merge by taking the larger rank of
 * each register, so observations may arrive in any order and any number of times.
 */
export const REGISTERS = 4096;
const REGISTER_BITS = 12;
const RANK_BITS = 6;
/** Of a 64-bit hash, 52 bits remain for the rank. */
const MAX_RANK = 64 - REGISTER_BITS + 1;

/** The observation of something with this uniform 64-bit hash. */
export function observationOf(hash: bigint): number {
  const register = Number(BigInt.asUintN(64, hash) >> BigInt(64 - REGISTER_BITS));
  const rest = BigInt.asUintN(64 - REGISTER_BITS, hash);
  const rank = rest === 0n ? MAX_RANK : 64 - REGISTER_BITS - rest.toString(2).length + 1;
  return (register << RANK_BITS) | rank;
}

/** One byte a register; `undefined` is the empty sketch. Answers a sketch of its own. */
export function withObservations(
  sketch: Uint8Array | undefined,
  observations: Iterable<number>,
): Uint8Array<ArrayBuffer> {
  const registers = new Uint8Array(REGISTERS);
  if (sketch) registers.set(sketch);
  for (const observation of observations) {
    const register = observation >> RANK_BITS;
    const rank = observation & ((1 << RANK_BITS) - 1);
    if (rank > (registers[register] ?? 0)) registers[register] = rank;
  }
  return registers;
}

/** The estimated number of different things, rounded. */
export function estimate(sketch: Uint8Array): number {
  const counts = new Float64Array(MAX_RANK + 1);
  for (const rank of sketch) counts[rank] = (counts[rank] ?? 0) + 1;
  let z = REGISTERS * tau(1 - (counts[MAX_RANK] ?? 0) / REGISTERS);
  for (let rank = MAX_RANK - 1; rank >= 1; rank--) z = 0.5 * (z + (counts[rank] ?? 0));
  z += REGISTERS * sigma((counts[0] ?? 0) / REGISTERS);
  const alphaInfinity = 1 / (2 * Math.LN2);
  return Math.round((alphaInfinity * REGISTERS * REGISTERS) / z);
}

/** The share of empty registers, in place of linear counting: x + sum of x^(2^k) * 2^(k-1). */
function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let power = x;
  let weight = 1;
  let sum = x;
  for (;;) {
    power *= power;
    const before = sum;
    sum += power * weight;
    weight += weight;
    if (sum === before) return sum;
  }
}

/** The share of registers that are not full, at the other end of the range. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let power = x;
  let weight = 1;
  let sum = 1 - x;
  for (;;) {
    power = Math.sqrt(power);
    const before = sum;
    weight *= 0.5;
    sum -= (1 - power) ** 2 * weight;
    if (sum === before) return sum / 3;
  }
}
