import type { StoredMessage } from '../../src/ports/message-store/port.ts';

/**
 * What happened in a run of the chat, as seen from outside, and whether it keeps what is promised. The same checks judge
 * simulated runs and runs of real processes on a real PostgreSQL.
 */
export interface SentMessage {
  readonly conversationId: string;
  readonly senderId: string;
  /** Says everything about the message: unique in the run, and its body. */
  readonly text: string;
  /** Who sends in one order: a tab. Its messages must be stored in the order in which they were sent. */
  readonly tab: string;
  /** Text of the message that it answers. */
  readonly answers?: string | undefined;
}

/** A device from the moment it first knows the conversation until the end of the run, or until it was cleared. */
export interface DeviceView {
  /** For people. */
  readonly device: string;
  /** By the server: what it sent itself it knows by receipts, and may forget as any program does when it is killed. */
  readonly deviceId: string | null;
  readonly accountId: string;
  readonly conversationId: string;
  /** In the order in which they were handed to whoever looks at the device. */
  readonly shown: readonly ShownMessage[];
  /** Declared as not sent; inclusive. */
  readonly gaps: readonly { readonly fromSeq: number; readonly toSeq: number }[];
  /** What was said up to here is not for this device: it is new, or its member was not there. */
  readonly fromSeq: number;
  /** It was left in peace long enough to have everything. */
  readonly isSettled: boolean;
  readonly unread?: number | undefined;
  readonly readSeq?: number | undefined;
}

export interface ShownMessage {
  readonly seq: number;
  /** Undefined for what the server says itself. */
  readonly text: string | undefined;
  readonly quote: number | null;
}

export interface Acknowledged {
  readonly conversationId: string;
  readonly text: string;
  readonly seq: number;
}

export class ChatHistory {
  readonly sent = new Map<string, SentMessage>();
  readonly acknowledged: Acknowledged[] = [];
  /** Refused for good, with a code. */
  readonly refused = new Map<string, string>();

  send(message: SentMessage): void {
    if (this.sent.has(message.text)) throw new Error(`${message.text} is sent twice by the test itself`);
    this.sent.set(message.text, message);
  }

  /** Each sentence names one promise that was broken. */
  violations(stored: ReadonlyMap<string, readonly StoredMessage[]>, views: readonly DeviceView[]): string[] {
    const found: string[] = [];
    const say = (text: string) => {
      if (found.length < 50) found.push(text);
    };
    for (const [id, messages] of stored) this.#checkStored(id, messages, say);
    this.#checkAcknowledged(stored, say);
    for (const view of views) this.#checkView(view, stored.get(view.conversationId) ?? [], say);
    return found;
  }

  #checkStored(id: string, messages: readonly StoredMessage[], say: (text: string) => void): void {
    const texts = new Map<string, number>();
    const order = new Map<string, string[]>();
    for (const [index, message] of messages.entries()) {
      if (message.seq !== index + 1) say(`${id} has seq ${message.seq} in place ${index + 1}`);
      const text = textOf(message);
      if (text === undefined) continue;
      const earlier = texts.get(text);
      if (earlier !== undefined) say(`${text} is stored twice in ${id}: ${earlier} and ${message.seq}`);
      texts.set(text, message.seq);
      const sent = this.sent.get(text);
      if (!sent) {
        say(`${text} is stored and was never sent`);
        continue;
      }
      if (this.refused.has(text)) say(`${text} is stored, and was refused as ${this.refused.get(text)}`);
      if (sent.conversationId !== id) say(`${text} is stored in ${id}`);
      if (sent.senderId !== message.senderId) say(`${text} is stored as said by ${message.senderId}`);
      order.set(sent.tab, [...(order.get(sent.tab) ?? []), text]);
      this.#checkAnswer(sent, message, texts, say);
    }
    for (const [tab, texts] of order) this.#checkOrder(id, tab, texts, say);
  }

  #checkAnswer(
    sent: SentMessage,
    message: StoredMessage,
    before: ReadonlyMap<string, number>,
    say: (text: string) => void,
  ): void {
    if (sent.answers === undefined) return;
    const target = before.get(sent.answers);
    if (target === undefined) say(`${sent.text} is stored before what it answers, ${sent.answers}`);
    else if (message.quoteSeq !== target)
      say(`${sent.text} answers ${sent.answers}, stored as ${target}, but quotes ${message.quoteSeq}`);
  }

  #checkOrder(id: string, tab: string, texts: readonly string[], say: (text: string) => void): void {
    const sentOrder = [...this.sent.values()]
      .filter((sent) => sent.tab === tab && sent.conversationId === id)
      .map(({ text }) => text);
    const places = texts.map((text) => sentOrder.indexOf(text));
    for (let at = 1; at < places.length; at++)
      if (places[at]! < places[at - 1]!)
        say(`${texts[at]} is stored after ${texts[at - 1]}, which ${tab} sent later`);
  }

  #checkAcknowledged(
    stored: ReadonlyMap<string, readonly StoredMessage[]>,
    say: (text: string) => void,
  ): void {
    const seqs = new Map<string, number>();
    for (const { conversationId, text, seq } of this.acknowledged) {
      const message = stored.get(conversationId)?.[seq - 1];
      if (!message || textOf(message) !== text)
        say(
          `${text} was acknowledged as ${seq} of ${conversationId}, where ${message ? textOf(message) : 'nothing'} is stored`,
        );
      const earlier = seqs.get(text);
      if (earlier !== undefined && earlier !== seq)
        say(`${text} was acknowledged as ${earlier} and as ${seq}`);
      seqs.set(text, seq);
      if (this.refused.has(text)) say(`${text} was acknowledged and refused`);
    }
  }

  #checkView(view: DeviceView, stored: readonly StoredMessage[], say: (text: string) => void): void {
    const where = `${view.device} in ${view.conversationId}`;
    const has = new Set<number>();
    let last = 0;
    for (const { seq, text, quote } of view.shown) {
      if (seq <= last) say(`${where} shows ${seq} after ${last}`);
      last = Math.max(last, seq);
      const message = stored[seq - 1];
      if (!message || textOf(message) !== text)
        say(`${where} shows ${text} as ${seq}, where ${message ? textOf(message) : 'nothing'} is stored`);
      if (quote !== null && quote > view.fromSeq && !has.has(quote) && !inGap(view, quote))
        say(`${where} shows the reply ${seq} before its target ${quote}`);
      has.add(seq);
    }
    if (!view.isSettled) return;
    for (const { seq, deviceId } of stored)
      if (seq > view.fromSeq && !has.has(seq) && !inGap(view, seq) && deviceId !== view.deviceId)
        say(`${where} never got ${seq}, and no gap says so`);
    this.#checkUnread(view, stored, say);
  }

  #checkUnread(view: DeviceView, stored: readonly StoredMessage[], say: (text: string) => void): void {
    if (view.unread === undefined || view.readSeq === undefined) return;
    const from = view.readSeq;
    const counted = stored.filter(({ seq, senderId }) => seq > from && senderId !== view.accountId).length;
    if (view.unread !== counted)
      say(`${view.device} says ${view.unread} unread in ${view.conversationId}; there are ${counted}`);
  }
}

function inGap({ gaps }: DeviceView, seq: number): boolean {
  return gaps.some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq);
}

/** Undefined for what the server says itself. */
export function textOf(message: Pick<StoredMessage, 'body'>): string | undefined {
  const content = JSON.parse(message.body) as { type: string; text?: string };
  return content.type === 'text' ? content.text : undefined;
}
