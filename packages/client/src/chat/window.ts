import type { ChatMessage } from '@hvideo/protocol';

export type End = 'older' | 'newer';

/** Messages that wait for those before them. */
const maxAhead = 200;

/** A run of messages of a conversation, without holes, in order of seq. It drops what is far from where it last grew. */
export class MessageWindow {
  items: readonly ChatMessage[] = [];
  hasOlder = false;
  hasNewer = false;
  readonly #max: number;
  /** Newer than the run, and not next to it. */
  readonly #ahead = new Map<number, ChatMessage>();
  #grewAt: End = 'newer';

  constructor(max: number) {
    this.#max = max;
  }

  get firstSeq(): number | undefined {
    return this.items[0]?.seq;
  }

  get lastSeq(): number {
    return this.items.at(-1)?.seq ?? 0;
  }

  /** In order of seq. */
  get ahead(): ChatMessage[] {
    return [...this.#ahead.values()].sort((a, b) => a.seq - b.seq);
  }

  has(seq: number): boolean {
    return this.items.length > 0 && seq >= (this.firstSeq ?? 0) && seq <= this.lastSeq;
  }

  find(seq: number): ChatMessage | undefined {
    return this.items.find((message) => message.seq === seq) ?? this.#ahead.get(seq);
  }

  replace(items: readonly ChatMessage[], hasOlder: boolean, hasNewer: boolean): void {
    this.items = items;
    this.hasOlder = hasOlder;
    this.hasNewer = hasNewer;
    this.#grewAt = 'newer';
    this.#drain();
  }

  extend(end: End, page: readonly ChatMessage[], hasMore: boolean): void {
    this.#grewAt = end;
    if (end === 'older') {
      const before = this.firstSeq ?? Number.POSITIVE_INFINITY;
      this.items = [...page.filter(({ seq }) => seq < before), ...this.items];
      this.hasOlder = hasMore;
    } else {
      const after = this.lastSeq;
      this.items = [...this.items, ...page.filter(({ seq }) => seq > after)];
      this.hasNewer = hasMore;
    }
    this.#drain();
    this.#trim();
  }

  /** Takes what is new in the conversation; answers false when something before it is missing. */
  append(message: ChatMessage): boolean {
    if (message.seq <= this.lastSeq) return true;
    this.#ahead.set(message.seq, message);
    const [oldest] = this.#ahead.keys();
    if (this.#ahead.size > maxAhead && oldest !== undefined) this.#ahead.delete(oldest);
    this.#drain();
    this.#trim();
    return this.hasNewer || !this.#ahead.has(message.seq);
  }

  /** The run does not go on at its newer end: what follows was not handed over. */
  break(): void {
    this.hasNewer = true;
    this.#ahead.clear();
  }

  clear(): void {
    this.replace([], false, false);
    this.#ahead.clear();
  }

  /** What was waiting for its turn. A first message of a conversation has none before it. */
  #drain(): void {
    const fresh: ChatMessage[] = [];
    let next = this.lastSeq + 1;
    for (let message = this.#ahead.get(next); message !== undefined; message = this.#ahead.get(next)) {
      fresh.push(message);
      next += 1;
    }
    for (const seq of this.#ahead.keys()) if (seq < next) this.#ahead.delete(seq);
    if (fresh.length > 0) this.items = [...this.items, ...fresh];
    if (this.#ahead.size === 0 && fresh.length > 0) this.hasNewer = false;
  }

  #trim(): void {
    if (this.items.length <= this.#max) return;
    if (this.#grewAt === 'newer') {
      this.items = this.items.slice(-this.#max);
      this.hasOlder = true;
    } else {
      this.items = this.items.slice(0, this.#max);
      this.hasNewer = true;
    }
  }
}
