import type { ChatEvent, ChatMark, SystemContent } from '@hvideo/protocol';
import type { StoredMessage } from '../../../ports/message-store/port.ts';

/** The newest message of a conversation that a connection is behind in. */
export interface Head {
  readonly kind: 'head';
  readonly conversationId: string;
  readonly seq: number;
}

export type NoticeContent = ChatEvent | ChatMark | Head;

/** What a listener writes a delivery with: deliveries written with the same one are the same text. */
export type Style = object;

/**
 * Something on its way to many devices, with what was made of it: the text that goes to one of them is that of all others
 * which are written to in the same style.
 */
class Shared {
  #style: Style | undefined = undefined;
  #text = '';
  #others: Map<Style, string> | undefined = undefined;

  text<S extends Style>(style: S, make: (what: this, style: S) => string): string {
    if (this.#style === style) return this.#text;
    const known = this.#others?.get(style);
    if (known !== undefined) return known;
    const text = make(this, style);
    if (this.#style === undefined) {
      this.#style = style;
      this.#text = text;
    } else {
      this.#others ??= new Map();
      this.#others.set(style, text);
    }
    return text;
  }
}

/** Messages of one conversation, one after another. */
export class Run extends Shared {
  readonly messages: readonly StoredMessage[];
  /** Who leaves in it, and with which message; null: nobody does, as in most. */
  #departures: Map<string, number> | null | undefined = undefined;

  constructor(messages: readonly StoredMessage[]) {
    super();
    this.messages = messages;
  }

  get conversationId(): string {
    return this.messages[0]!.conversationId;
  }

  get firstSeq(): number {
    return this.messages[0]!.seq;
  }

  get lastSeq(): number {
    return this.messages[this.messages.length - 1]!.seq;
  }

  /** The message that says that the account has left or was taken out: from it on nothing is for that account. */
  departureOf(accountId: string): number | undefined {
    if (this.#departures === undefined) this.#departures = departuresIn(this.messages);
    return this.#departures?.get(accountId);
  }

  isPartlyFrom(deviceId: string): boolean {
    for (const message of this.messages) if (message.deviceId === deviceId) return true;
    return false;
  }

  /** Itself when that is all of it. */
  between(firstSeq: number, lastSeq: number): Run | undefined {
    const from = Math.max(0, firstSeq - this.firstSeq);
    const to = lastSeq - this.firstSeq + 1;
    if (from >= to || from >= this.messages.length) return undefined;
    return from === 0 && to >= this.messages.length ? this : new Run(this.messages.slice(from, to));
  }

  /** What is left when the messages of one device are taken out. */
  *without(deviceId: string): Generator<Run> {
    let from = 0;
    for (let at = 0; at <= this.messages.length; at += 1) {
      if (at < this.messages.length && this.messages[at]!.deviceId !== deviceId) continue;
      if (at > from) yield new Run(this.messages.slice(from, at));
      from = at + 1;
    }
  }
}

/** Only the server says who leaves, and that without a device. */
function departuresIn(messages: readonly StoredMessage[]): Map<string, number> | null {
  let departures: Map<string, number> | null = null;
  for (const { body, deviceId, seq } of messages) {
    if (deviceId !== null) continue;
    const { event, accountIds } = JSON.parse(body) as Partial<SystemContent>;
    if ((event !== 'left' && event !== 'removed') || !accountIds) continue;
    departures ??= new Map();
    for (const id of accountIds) if (!departures.has(id)) departures.set(id, seq);
  }
  return departures;
}

export class Notice extends Shared {
  readonly content: NoticeContent;

  constructor(content: NoticeContent) {
    super();
    this.content = content;
  }
}
