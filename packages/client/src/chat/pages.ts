import type { ChatMessage } from '@hvideo/protocol';
import type { Reads } from './reads.ts';
import type { End } from './window.ts';

export interface Page {
  readonly items: ChatMessage[];
  readonly headSeq: number;
}

/** Reads the history of a conversation by pages, and the next one before somebody asks. */
export class Pages {
  readonly #id: string;
  readonly #reads: Reads;
  readonly #size: number;
  #ahead: { readonly end: End; readonly fromSeq: number; readonly page: Promise<Page> } | undefined;

  constructor(id: string, reads: Reads, size: number) {
    this.#id = id;
    this.#reads = reads;
    this.#size = size;
  }

  /** What comes before or after a seq. */
  beyond(end: End, fromSeq: number, signal: AbortSignal | undefined): Promise<Page> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.end === end && ahead.fromSeq === fromSeq) {
      return ahead.page.catch(() => this.#read(end, fromSeq, signal));
    }
    return this.#read(end, fromSeq, signal);
  }

  /** Scrolling goes on in the same direction, mostly. */
  fetchAhead(end: End, fromSeq: number): void {
    const page = this.#read(end, fromSeq);
    page.catch(() => {
      if (this.#ahead?.page === page) this.#ahead = undefined;
    });
    this.#ahead = { end, fromSeq, page };
  }

  #read(end: End, fromSeq: number, signal?: AbortSignal): Promise<Page> {
    const range = end === 'older' ? { beforeSeq: fromSeq } : { afterSeq: fromSeq };
    return this.#reads.messages(this.#id, { ...range, limit: this.#size }, signal);
  }
}
