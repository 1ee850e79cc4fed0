/** A bound on how many things run at once; who comes later waits, in order. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Answers how to give the slot back. Aborting while waiting rejects with the signal's reason and takes none. */
  take(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const begin = () => {
        signal.removeEventListener('abort', giveUp);
        this.#free -= 1;
        resolve(once(() => this.#release()));
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal.reason);
      };
      if (this.#free > 0) begin();
      else {
        this.#waiting.push(begin);
        signal.addEventListener('abort', giveUp, { once: true });
      }
    });
  }

  #release(): void {
    this.#free += 1;
    this.#waiting.shift()?.();
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
