import type { Change, ConversationStore } from '../conversation-store/port.ts';
import type { DeviceStore } from '../device-store/port.ts';
import type { MessageStore, Send, StoredMessage, Verdict } from './port.ts';

/** For the contracts of the three stores of chat, which are about the same rows. */
export interface ChatStores {
  readonly messages: MessageStore;
  readonly conversations: ConversationStore;
  readonly devices: DeviceStore;
  /** Other handles on the same data, as a second process would have them. */
  readonly second: {
    readonly messages: MessageStore;
    readonly conversations: ConversationStore;
    readonly devices: DeviceStore;
  };
  /** A store of conversations with small limits, to reach them. */
  readonly limited: ConversationStore;
  account(id: string): Promise<void>;
  block(blocker: string, blocked: string): Promise<void>;
  unblock(blocker: string, blocked: string): Promise<void>;
  session(id: string, accountId: string): Promise<void>;
  endSession(id: string): Promise<void>;
  /** The pointers in a device's offline box. */
  boxOf(deviceId: string): Promise<string[] | 'overflowed'>;
  close(): Promise<void>;
}

export const LIMITED = { maxConversations: 3, maxEvents: 5 };

export class ChatWorld {
  readonly stores: ChatStores;
  #lastId = 1_000_000n;
  /** Whole milliseconds, as the clock gives them. */
  nowMs = 1_800_000_000_123;

  constructor(stores: ChatStores) {
    this.stores = stores;
  }

  id(): string {
    this.#lastId += 1n;
    return String(this.#lastId);
  }

  chain(): string {
    return crypto.randomUUID();
  }

  async people(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => this.id());
    for (const id of ids) await this.stores.account(id);
    return ids;
  }

  async person(): Promise<string> {
    const [id = ''] = await this.people(1);
    return id;
  }

  async session(accountId: string): Promise<string> {
    const id = this.id();
    await this.stores.session(id, accountId);
    return id;
  }

  begin(
    type: 'direct' | 'group',
    actorId: string,
    memberIds: readonly string[],
    store = this.stores.conversations,
  ): Promise<Change> {
    const [id, messageId] = [this.id(), this.id()];
    const title = type === 'group' ? 'A group' : null;
    return store.create({ id, messageId, nowMs: this.nowMs, actorId, type, memberIds, title });
  }

  async direct(a: string, b: string): Promise<string> {
    return (await this.begin('direct', a, [b])).conversationId;
  }

  async group(owner: string, ...others: string[]): Promise<string> {
    return (await this.begin('group', owner, others)).conversationId;
  }

  add(conversationId: string, actorId: string, add: readonly string[], store = this.stores.conversations) {
    return store.change({ conversationId, messageId: this.id(), nowMs: this.nowMs, actorId, add });
  }

  remove(conversationId: string, actorId: string, remove: string, store = this.stores.conversations) {
    return store.change({ conversationId, messageId: this.id(), nowMs: this.nowMs, actorId, remove });
  }

  send(
    conversationId: string,
    senderId: string,
    more: { body?: string } & Pick<Send, 'turn' | 'quote' | 'unfit'> = {},
  ): Send {
    const body = more.body ?? `{"type":"text","text":"${this.id()}"}`;
    const bodyHash = String(BigInt.asIntN(64, Bun.hash.xxHash64(body + JSON.stringify(more.quote ?? null))));
    const { turn, quote, unfit } = more;
    return {
      ...{ conversationId, senderId, deviceId: senderId, id: this.id(), timestampMs: this.nowMs++ },
      ...{ body, bodyHash, turn, quote, unfit },
    };
  }

  async commitOne(send: Send): Promise<Verdict> {
    const [verdict] = await this.stores.messages.commit([send]);
    if (!verdict) throw new Error('no verdict');
    return verdict;
  }

  /** `count` messages without a chain. */
  async say(conversationId: string, senderId: string, count = 1): Promise<void> {
    for (let left = count; left > 0; left -= 500) {
      const sends = Array.from({ length: Math.min(left, 500) }, () => this.send(conversationId, senderId));
      await this.stores.messages.commit(sends);
    }
  }

  async all(conversationId: string): Promise<StoredMessage[]> {
    const range = { conversationId, afterSeq: 0, limit: 1_000, keep: 'oldest' } as const;
    const [messages = []] = await this.stores.messages.read([range]);
    return messages;
  }
}
