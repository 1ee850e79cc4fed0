import type { Clock } from '../../../../kernel/clock.ts';
import type { AppError } from '../../../../kernel/errors.ts';
import type { Bus } from '../../../../ports/bus/port.ts';
import type { Committer } from '../committer.ts';
import type { Receipt, SendListener } from '../types.ts';
import {
  ANSWERS_AT_ONCE,
  type Answer,
  answersTopic,
  encode,
  type Missed,
  refusedAnswer,
  type Sends,
  storedAnswer,
} from './wire.ts';

export interface AskerDeps {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly nodeName: string;
  /** Another for each that was forgotten and asks again, and higher. */
  readonly life: number;
  readonly committer: Pick<Committer, 'submitPrepared'>;
  readonly failed: (error: unknown) => void;
}

/** One of those who hand over what was said to them, as the owner knows it: what it has sent, and what it is to be told. */
export class Asker {
  readonly #name: string;
  readonly #deps: AskerDeps;
  readonly #underWay = new Set<number>();
  #series = 0;
  /** The last that was looked at, of this series. */
  #number = 0;
  #hasHole = false;
  #answers: Answer[] = [];
  #missed: Missed | undefined;
  /** It wants to hear something, whatever there is. */
  #isAsked = false;
  #answerNumber = 0;
  #sending: Promise<void> | undefined;
  #heardMs: number;

  constructor(name: string, deps: AskerDeps) {
    this.#name = name;
    this.#deps = deps;
    this.#heardMs = deps.clock.monotonicMs();
  }

  take({ series, number, sends }: Sends): void {
    this.#heardMs = this.#deps.clock.monotonicMs();
    if (series < this.#series) return;
    if (series > this.#series) {
      this.#miss(series);
      this.#series = series;
      this.#number = 0;
      this.#hasHole = false;
    }
    if (number <= this.#number) return;
    if (number > this.#number + 1) this.#hasHole = true;
    if (this.#hasHole) {
      this.#miss(series + 1);
      return;
    }
    this.#number = number;
    if (sends.length === 0) {
      this.#isAsked = true;
      this.#start();
    }
    for (const [id, send] of sends) {
      // Sent again, and still being worked on.
      if (this.#underWay.has(id)) continue;
      this.#underWay.add(id);
      this.#deps.committer.submitPrepared(send, new AskedSend(this, id));
    }
  }

  answer(id: number, answer: Answer): void {
    this.#underWay.delete(id);
    this.#answers.push(answer);
    this.#start();
  }

  isIdleSince(beforeMs: number): boolean {
    return this.#underWay.size === 0 && this.#heardMs < beforeMs;
  }

  /** Resolves when everything is told that is known. */
  async drained(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  #miss(before: number): void {
    this.#missed = { series: this.#series, number: this.#number, before };
    this.#start();
  }

  #start(): void {
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    const { bus, failed, life, nodeName: from } = this.#deps;
    // A batch of the store is answered in one turn, and in one message.
    await undefined;
    while (this.#answers.length > 0 || this.#missed || this.#isAsked) {
      const answers = this.#answers.splice(0, ANSWERS_AT_ONCE);
      const missed = this.#missed;
      this.#missed = undefined;
      this.#isAsked = false;
      this.#answerNumber += 1;
      const message = encode({ from, life, number: this.#answerNumber, answers, missed });
      try {
        await bus.publish(answersTopic(this.#name), message);
      } catch (error) {
        failed(error);
      }
    }
    this.#sending = undefined;
  }
}

class AskedSend implements SendListener {
  readonly #asker: Asker;
  readonly #id: number;

  constructor(asker: Asker, id: number) {
    this.#asker = asker;
    this.#id = id;
  }

  stored(receipt: Receipt): void {
    this.#asker.answer(this.#id, storedAnswer(this.#id, receipt));
  }

  refused(error: AppError): void {
    this.#asker.answer(this.#id, refusedAnswer(this.#id, error));
  }
}
