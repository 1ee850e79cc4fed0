import type { ChatSurroundings } from './surroundings.ts';

type SetTimer = ChatSurroundings['setTimer'];

/** Timers that end together: one that is left would keep a program from ending. */
export class Timers {
  readonly #setTimer: SetTimer;
  readonly #running = new Set<() => void>();
  #isStopped = false;

  constructor(setTimer: SetTimer) {
    this.#setTimer = setTimer;
  }

  readonly set: SetTimer = (ms, callback) => {
    if (this.#isStopped) return () => undefined;
    const cancel = this.#setTimer(ms, () => {
      this.#running.delete(cancel);
      callback();
    });
    this.#running.add(cancel);
    return () => {
      this.#running.delete(cancel);
      cancel();
    };
  };

  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#running) cancel();
    this.#running.clear();
  }
}
