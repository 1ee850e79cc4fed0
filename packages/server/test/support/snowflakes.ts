/** Ids for rows that a test writes itself: in order, below those that a server gives out. */
export class Snowflakes {
  #last = 1_000_000n;

  next(): string {
    this.#last += 1n;
    return String(this.#last);
  }
}
