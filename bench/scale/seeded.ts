/** Numbers that a seed repeats: sfc32 by Chris Doty-Humphrey, from the PractRand suite. Not for keys. */
export class Seeded {
  #a: number;
  #b = 0x9e3779b9;
  #c = 0x243f6a88;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    for (let turn = 0; turn < 16; turn++) this.next();
  }

  /** 0 <= x < 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** At least `least`, with so heavy a tail, and nothing above `most`. */
  pareto(least: number, tail: number, most: number): number {
    const above = (least / most) ** tail;
    return least * (above + (1 - above) * (1 - this.next())) ** (-1 / tail);
  }
}

/** 0 <= x < 1, always the same for the same pair. */
export function chanceOf(one: number, other: number): number {
  let mixed = Math.imul(one ^ 0x85ebca6b, 0xc2b2ae35) ^ Math.imul(other + 0x27d4eb2f, 0x165667b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}
