import type { Logger } from 'pino';
import type { Clock } from '../../kernel/clock.ts';

const MAX_LINE_CHARS = 1_000;
const MAX_KEPT_LINES = 12;
const MAX_LINES_PER_SECOND = 20;

/** Passes what PostgreSQL writes to the log, within bounds, and keeps the end of it for an error message. */
export class LogTail {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #kept: string[] = [];
  #windowStartMs = 0;
  #linesInWindow = 0;
  #dropped = 0;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  async follow(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = (lines.pop() ?? '').slice(-MAX_LINE_CHARS);
      for (const line of lines) this.#take(line);
    }
    if (rest !== '') this.#take(rest);
  }

  text(): string {
    return this.#kept.join(' | ');
  }

  #take(raw: string): void {
    const line = raw.trim().slice(0, MAX_LINE_CHARS);
    if (line === '') return;
    this.#kept.push(line);
    if (this.#kept.length > MAX_KEPT_LINES) this.#kept.shift();
    if (!this.#mayLog()) return;
    // Sessions end like this at every stop, and are refused like this at every start.
    const expected = /terminating connection due to|system is starting up|not yet accepting/.test(line);
    if (/^(PANIC|FATAL):/.test(line) && !expected) this.#log.warn({ from: 'postgres' }, line);
    else this.#log.debug({ from: 'postgres' }, line);
  }

  #mayLog(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartMs > 1_000) {
      if (this.#dropped > 0) this.#log.warn({ dropped: this.#dropped }, 'PostgreSQL wrote too many lines');
      this.#windowStartMs = nowMs;
      this.#linesInWindow = 0;
      this.#dropped = 0;
    }
    this.#linesInWindow += 1;
    if (this.#linesInWindow <= MAX_LINES_PER_SECOND) return true;
    this.#dropped += 1;
    return false;
  }
}
