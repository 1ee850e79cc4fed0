import type { ChatEvent, ChatMark, SyncAnswer } from '@hvideo/protocol';
import type { PushedEvent } from './transport.ts';

export interface NewsHost {
  /** Undefined: nobody can be asked now, and the next connection asks. */
  ask(pts: number | undefined): Promise<SyncAnswer> | undefined;
  /** With a connection it is asked again; without one, the next one asks. */
  readonly isConnected: boolean;
  setTimer(ms: number, callback: () => void): () => void;
  backoffMs(failures: number): number;
  onEvent(event: ChatEvent): void;
  onMark(mark: ChatMark): void;
  /** There may be more in it than is known. */
  onNews(conversationId: string, headSeq: number): void;
  /** More may have happened than can be told. */
  onTooLong(): void;
  onMove(withinMs: number, alternatives: readonly string[]): void;
}

/** What happens to the account, apart from messages: each event once known, whether it is pushed or asked for. */
export class News {
  readonly #host: NewsHost;
  #pts: number | undefined;
  #isAsking = false;

  constructor(host: NewsHost) {
    this.#host = host;
  }

  /** The newest event that is known; undefined: none, as a new device. */
  get pts(): number | undefined {
    return this.#pts;
  }

  take(event: PushedEvent): void {
    const host = this.#host;
    if (event.kind === 'move') host.onMove(event.withinMs, event.alternatives ?? []);
    else if (event.kind === 'head') host.onNews(event.conversationId, event.seq);
    else if (event.kind === 'mark') host.onMark(event);
    else {
      // What a lost one said is asked for; what this one says holds in any case.
      if (this.#pts !== undefined && event.pts > this.#pts + 1) this.ask();
      else this.#pts = Math.max(event.pts, this.#pts ?? 0);
      host.onEvent(event);
    }
  }

  /** Everything up to `pts` was told. */
  synced(pts: number, tooLong: boolean): void {
    this.#pts = Math.max(pts, this.#pts ?? 0);
    // At the start too: what was said between the reading of the list and the moment from which this device is told.
    if (tooLong) this.#host.onTooLong();
  }

  /** What happened while there was no connection. */
  ask(failures = 0): void {
    const host = this.#host;
    if (this.#isAsking) return;
    const asked = host.ask(this.#pts);
    if (asked === undefined) return;
    this.#isAsking = true;
    asked
      .then((answer) => {
        for (const event of answer.events) this.take(event);
        this.synced(answer.pts, answer.tooLong);
        for (const { conversationId, headSeq } of answer.conversations) host.onNews(conversationId, headSeq);
      })
      .catch(() => {
        if (host.isConnected) host.setTimer(host.backoffMs(failures), () => this.ask(failures + 1));
      })
      .finally(() => {
        this.#isAsking = false;
      });
  }
}
