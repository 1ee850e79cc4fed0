/** Pauses that grow with the setbacks in a row. */
export class Setbacks {
  readonly #setTimer: (ms: number, callback: () => void) => () => void;
  readonly #backoffMs: (setbacks: number) => number;
  readonly #onOver: () => void;
  #cancel: (() => void) | undefined;
  count = 0;

  constructor(
    host: {
      setTimer(ms: number, callback: () => void): () => void;
      backoffMs(setbacks: number): number;
    },
    onOver: () => void,
  ) {
    this.#setTimer = (ms, callback) => host.setTimer(ms, callback);
    this.#backoffMs = (setbacks) => host.backoffMs(setbacks);
    this.#onOver = onOver;
  }

  get isPausing(): boolean {
    return this.#cancel !== undefined;
  }

  /** One more, and a pause for it. */
  add(atLeastMs: number): void {
    this.#pause(atLeastMs + this.#backoffMs(this.count));
    this.count += 1;
  }

  /** One more, and a pause for it unless it is the first one. */
  addLightly(): void {
    if (this.count > 0) this.add(0);
    else this.count = 1;
  }

  /** Something got on. */
  forget(): void {
    this.count = 0;
  }

  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.count = 0;
  }

  #pause(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#setTimer(ms, () => {
      this.#cancel = undefined;
      this.#onOver();
    });
  }
}
