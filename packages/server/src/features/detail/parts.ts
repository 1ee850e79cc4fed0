import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';

type Load<T> = (signal: AbortSignal) => Promise<T>;

/**
 * The parts of one answer, loaded side by side. Each has a deadline.
 *
 * A critical part that fails fails the answer, and everything else that is under way for it is aborted at once. An
 * optional one that fails or is late is named in `degraded` and answered as undefined. When the caller goes, all are
 * aborted; an abort ends a statement on the server, unless somebody else waits for the same load.
 */
export class Parts implements Disposable {
  readonly degraded: string[] = [];
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #onFailure: (part: string, error: unknown) => void;
  readonly #abort = () => this.#controller.abort(this.#caller?.reason);

  constructor(
    clock: Clock,
    caller: AbortSignal | undefined,
    onFailure: (part: string, error: unknown) => void,
  ) {
    this.#clock = clock;
    this.#caller = caller;
    this.#onFailure = onFailure;
    if (caller?.aborted) this.#abort();
    caller?.addEventListener('abort', this.#abort, { once: true });
  }

  /** Errors: its own; `timeout`. */
  async critical<T>(withinMs: number, load: Load<T>): Promise<T> {
    try {
      return await this.#within(withinMs, load);
    } catch (error) {
      this.#controller.abort(error);
      throw error;
    }
  }

  async optional<T>(name: string, withinMs: number, load: Load<T>): Promise<T | undefined> {
    try {
      return await this.#within(withinMs, load);
    } catch (error) {
      if (!this.#controller.signal.aborted) this.#onFailure(name, error);
      this.degraded.push(name);
      return undefined;
    }
  }

  /** What is still under way is of no use any more. */
  [Symbol.dispose](): void {
    this.#caller?.removeEventListener('abort', this.#abort);
    this.#controller.abort(new AppError('timeout', { detail: 'The answer has been given' }));
  }

  #within<T>(withinMs: number, load: Load<T>): Promise<T> {
    const { signal } = this.#controller;
    if (signal.aborted) return Promise.reject(signal.reason);
    const own = new AbortController();
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(withinMs, () => fail(new AppError('timeout')));
      const end = () => {
        timer[Symbol.dispose]();
        signal.removeEventListener('abort', onAbort);
      };
      const fail = (error: unknown) => {
        end();
        reject(error);
        own.abort(error);
      };
      const onAbort = () => fail(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      load(own.signal).then((value) => {
        end();
        resolve(value);
      }, fail);
    });
  }
}
