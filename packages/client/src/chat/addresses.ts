/** More than that of what a node says is not remembered. */
const maxAddresses = 16;

/**
 * Where the socket of this device goes: the address that it was given, and those of other nodes as a node tells them, which are
 * taken in an order of chance, so that clients which leave a node together do not arrive together. What is told is checked, and
 * the given address is always among them.
 */
export class Addresses {
  /** Cookies come along to the same host only. */
  isByCookie = false;

  readonly #own: string;
  readonly #random: () => number;
  #order: readonly string[];

  constructor(own: string, random: () => number) {
    this.#own = own;
    this.#random = random;
    this.#order = [own];
  }

  get current(): string {
    return this.#order[0] ?? this.#own;
  }

  get isElsewhere(): boolean {
    return this.current !== this.#own;
  }

  /** The current one is good; the others are where to go when it is not. */
  learn(alternatives: readonly string[]): void {
    this.#put([this.current, ...this.#usable(alternatives), this.#own]);
  }

  /** Away from the current one, to any of the others. */
  leave(alternatives: readonly string[]): void {
    const { current } = this;
    const others = this.#usable(alternatives).filter((url) => url !== current && url !== this.#own);
    this.#put([...others, this.#own, current]);
  }

  /** The current one was not reached. */
  next(): void {
    this.#put([...this.#order.slice(1), this.current]);
  }

  #put(urls: readonly string[]): void {
    this.#order = [...new Set(urls)];
  }

  #usable(urls: readonly string[]): string[] {
    const own = new URL(this.#own);
    return urls
      .filter((url) => this.#isUsable(url, own))
      .slice(0, maxAddresses)
      .map((url) => ({ url, at: this.#random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ url }) => url);
  }

  /** A socket, no less guarded than the given one, and without a login of somebody in it. */
  #isUsable(text: string, own: URL): boolean {
    if (!URL.canParse(text)) return false;
    const url = new URL(text);
    if (url.username !== '' || url.password !== '') return false;
    if (url.protocol !== 'wss:' && !(url.protocol === 'ws:' && own.protocol === 'ws:')) return false;
    return !this.isByCookie || url.hostname === own.hostname;
  }
}
