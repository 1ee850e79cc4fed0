import { ApiError } from '../errors.ts';

export interface ReadMarksHost {
  tell(conversationId: string, seq: number): Promise<void>;
  setTimer(ms: number, callback: () => void): () => void;
  backoffMs(failures: number): number;
}

/** While somebody scrolls, marks rise many times a second. */
const gatherMs = 300;
/** What could not be told is given up; the next mark of the conversation says the same. */
const maxFailures = 10;

/** Tells the server what was read: the newest mark of each conversation, one after the other. */
export class ReadMarks {
  readonly #host: ReadMarksHost;
  readonly #waiting = new Map<string, number>();
  #isBusy = false;
  #failures = 0;

  constructor(host: ReadMarksHost) {
    this.#host = host;
  }

  add(conversationId: string, seq: number): void {
    this.#waiting.set(conversationId, Math.max(seq, this.#waiting.get(conversationId) ?? 0));
    this.#later(gatherMs);
  }

  #later(ms: number): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#host.setTimer(ms, () => this.#tellNext());
  }

  #tellNext(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#isBusy = false;
      return;
    }
    const [id, seq] = next;
    this.#waiting.delete(id);
    this.#host.tell(id, seq).then(
      () => {
        this.#failures = 0;
        this.#tellNext();
      },
      (error: unknown) => {
        this.#failures += 1;
        const isRefused = error instanceof ApiError && error.status < 500 && error.status !== 429;
        if (!isRefused && this.#failures < maxFailures) {
          this.#waiting.set(id, Math.max(seq, this.#waiting.get(id) ?? 0));
        }
        this.#isBusy = false;
        if (this.#waiting.size > 0) this.#later(this.#host.backoffMs(this.#failures));
      },
    );
  }
}
