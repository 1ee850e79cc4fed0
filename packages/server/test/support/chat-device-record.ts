import type { Chat, ChatNotice } from '@hvideo/client';
import type { ChatMessage } from '@hvideo/protocol';
import type { ChatHistory, DeviceView, ShownMessage } from './chat-history.ts';

interface Seen {
  /** In the order in which it was told. */
  readonly told: ShownMessage[];
  readonly all: Map<number, ShownMessage>;
  readonly gaps: { fromSeq: number; toSeq: number }[];
  /** The head when the server first knew the device: what was said before is not for it. */
  fromSeq: number;
}

export interface RunOptions {
  readonly name: string;
  readonly accountId: string;
  readonly history: ChatHistory;
  readonly conversationIds: readonly string[];
  /** Of a conversation, now. */
  readonly headOf: (conversationId: string) => number;
}

/** What one run of a program was told of its conversations. */
export class RunRecord {
  readonly #options: RunOptions;
  readonly #seen = new Map<string, Seen>();
  /** By the server; null: it never knew this run. */
  deviceId: string | null = null;

  constructor(options: RunOptions) {
    this.#options = options;
    for (const id of options.conversationIds) this.#of(id);
  }

  watch(chat: Chat): void {
    chat.on((notice) => this.#hear(notice));
  }

  #hear(notice: ChatNotice): void {
    if (notice.type === 'status') this.#note(notice.status.deviceId);
    else if (notice.type === 'messages') this.#show(notice.conversationId, notice.messages);
    else if (notice.type === 'gap') this.#of(notice.conversationId).gaps.push(notice);
    else if (notice.type === 'sent' || notice.type === 'failed') this.#settled(notice);
  }

  #note(deviceId: string | null): void {
    if (deviceId === null || this.deviceId !== null) return;
    this.deviceId = deviceId;
    for (const [id, seen] of this.#seen) seen.fromSeq = this.#options.headOf(id);
  }

  #show(conversationId: string, messages: readonly ChatMessage[]): void {
    const { told, all } = this.#of(conversationId);
    for (const { content, quote, seq } of messages) {
      const shown = { seq, text: content.type === 'text' ? content.text : undefined, quote };
      told.push(shown);
      all.set(seq, shown);
    }
  }

  #settled({ type, message }: Extract<ChatNotice, { type: 'sent' | 'failed' }>): void {
    const { content, conversationId, failure, quote, seq } = message;
    if (content.type !== 'text') throw new Error('these programs send texts only');
    const { text } = content;
    const { history } = this.#options;
    if (type === 'failed') history.refused.set(text, failure?.code ?? '');
    else if (seq === null) throw new Error(`${text} was sent, and has no seq`);
    else {
      history.acknowledged.push({ conversationId, text, seq });
      this.#of(conversationId).all.set(seq, { seq, text, quote: quote?.seq ?? null });
    }
  }

  #of(conversationId: string): Seen {
    const fresh = { told: [], all: new Map<number, ShownMessage>(), gaps: [], fromSeq: 0 };
    const seen = this.#seen.get(conversationId) ?? fresh;
    this.#seen.set(conversationId, seen);
    return seen;
  }

  /** As it was told, whether that is all or not. */
  views(): DeviceView[] {
    const { name, accountId } = this.#options;
    return [...this.#seen].map(([conversationId, { gaps, told }]) => ({
      ...{ device: name, deviceId: this.deviceId, accountId, conversationId, gaps, shown: told },
      ...{ fromSeq: Number.MAX_SAFE_INTEGER, isSettled: false },
    }));
  }

  /**
   * Of a device whose program was left in peace: it must have everything. `earlier` are the runs of the same device before.
   */
  settledViews(chat: Chat, earlier: readonly RunRecord[] = []): DeviceView[] {
    const { name, accountId } = this.#options;
    const runs = [...earlier.filter(({ deviceId }) => deviceId === this.deviceId), this];
    const { items } = chat.conversations.snapshot();
    return [...this.#seen.keys()].map((conversationId) => {
      const seen = runs.map((run) => run.#of(conversationId));
      const all = new Map(seen.flatMap(({ all }) => [...all]));
      const summary = items.find(({ id }) => id === conversationId);
      return {
        ...{ device: name, deviceId: this.deviceId, accountId, conversationId },
        gaps: seen.flatMap(({ gaps }) => gaps),
        shown: [...all.values()].sort((a, b) => a.seq - b.seq),
        ...{ fromSeq: seen[0]?.fromSeq ?? 0, isSettled: this.deviceId !== null },
        ...(summary && { unread: summary.unread, readSeq: Math.max(summary.readSeq, summary.joinedSeq) }),
      };
    });
  }
}
