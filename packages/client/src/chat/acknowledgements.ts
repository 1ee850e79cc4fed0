interface Waiting {
  readonly ack: string;
  isDone: boolean;
}

/** More deliveries than this are acknowledged at once, well before the server’s window is full. */
const eager = 100;

/**
 * Cumulative acknowledgements: the newest delivery before which all are done. Gathered for a while, since each acknowledgement
 * covers all before it.
 */
export class Acknowledgements {
  readonly #write: (ack: string) => void;
  readonly #startTimer: (callback: () => void) => () => void;
  #waiting: Waiting[] = [];
  /** Of those at the beginning that are done. */
  #doneCount = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(write: (ack: string) => void, startTimer: (callback: () => void) => () => void) {
    this.#write = write;
    this.#startTimer = startTimer;
  }

  /** Notes a delivery; what it answers is called when the delivery is done. */
  expect(ack: string): () => void {
    const delivery: Waiting = { ack, isDone: false };
    this.#waiting.push(delivery);
    return () => {
      delivery.isDone = true;
      this.#advance();
    };
  }

  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const last = this.#waiting[this.#doneCount - 1];
    if (last === undefined) return;
    this.#waiting = this.#waiting.slice(this.#doneCount);
    this.#doneCount = 0;
    this.#write(last.ack);
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#waiting = [];
    this.#doneCount = 0;
  }

  #advance(): void {
    while (this.#waiting[this.#doneCount]?.isDone) this.#doneCount += 1;
    if (this.#doneCount === 0) return;
    if (this.#doneCount >= eager) this.flush();
    else this.#cancelTimer ??= this.#startTimer(() => this.flush());
  }
}
