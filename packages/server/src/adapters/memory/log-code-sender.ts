import type { Logger } from 'pino';
import type { CodeSender } from '../../ports/code-sender/port.ts';

/** Writes the code to the log: for an instance without an SMS provider, whose operator reads the log. */
export class LogCodeSender implements CodeSender {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  async send({ phone, code, expiresInSeconds }: Parameters<CodeSender['send']>[0]): Promise<void> {
    this.#log.info({ phone, code, expiresInSeconds }, 'log-in code');
  }
}
