/** Sends what is wanted last, one request at a time for each subject: whoever taps five times is asked for once or twice. */
export class Wishes<Value> {
  readonly #send: (key: string, value: Value) => Promise<void>;
  readonly #onFailure: (key: string, held: Value, error: unknown) => void;
  readonly #subjects = new Map<string, { held: Value; wanted: Value }>();

  /** `onFailure` is told what still holds at the server, when nothing else is wanted any more. */
  constructor(
    send: (key: string, value: Value) => Promise<void>,
    onFailure: (key: string, held: Value, error: unknown) => void,
  ) {
    this.#send = send;
    this.#onFailure = onFailure;
  }

  /** `held`: what the server has now, as far as is known; asked for only when nothing is under way. */
  wish(key: string, wanted: Value, held: Value): void {
    const underWay = this.#subjects.get(key);
    if (underWay) {
      underWay.wanted = wanted;
      return;
    }
    if (wanted === held) return;
    this.#subjects.set(key, { held, wanted });
    void this.#run(key);
  }

  async #run(key: string): Promise<void> {
    const subject = this.#subjects.get(key);
    if (!subject) return;
    while (subject.wanted !== subject.held) {
      const { wanted } = subject;
      try {
        await this.#send(key, wanted);
        subject.held = wanted;
      } catch (error) {
        // Wanted otherwise meanwhile: that is tried, and this failure is nobody's.
        if (subject.wanted !== wanted) continue;
        this.#subjects.delete(key);
        this.#onFailure(key, subject.held, error);
        return;
      }
    }
    this.#subjects.delete(key);
  }
}
