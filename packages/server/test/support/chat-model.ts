interface ModelMember {
  joinedSeq: number;
  readSeq: number;
  /** Who came first becomes owner when the owner leaves. */
  readonly place: number;
}

interface ModelConversation {
  readonly isDirect: boolean;
  owner: string;
  readonly members: Map<string, ModelMember>;
  /** By seq, the first at 0. */
  readonly messages: { readonly id: string; readonly senderId: string }[];
}

type ModelEvent =
  | { readonly kind: 'joined' | 'left'; readonly conversationId: string }
  | { readonly kind: 'read'; readonly conversationId: string; readonly seq: number };

interface ModelDevice {
  readonly accountId: string;
  /** Of each conversation. */
  readonly cursors: Map<string, number>;
}

/** Chat in its plainest form: lists of messages, and how far each has got. */
export class ChatModel {
  readonly #conversations = new Map<string, ModelConversation>();
  readonly #devices = new Map<string, ModelDevice>();
  readonly #events = new Map<string, ModelEvent[]>();
  #places = 0;

  conversationIds(): string[] {
    return [...this.#conversations.keys()];
  }

  isMember(id: string, accountId: string): boolean {
    return this.#of(id).members.has(accountId);
  }

  messageIds(id: string): string[] {
    return this.#of(id).messages.map((message) => message.id);
  }

  eventsOf(accountId: string): readonly ModelEvent[] {
    return this.#events.get(accountId) ?? [];
  }

  /** A direct one may have been there before. `messageId`: of a group's first message. */
  begun(id: string, ownerId: string, memberIds: readonly string[], messageId: string | null): void {
    if (this.#conversations.has(id)) return;
    const members = new Map<string, ModelMember>();
    // The members that come at the same time are ordered by their ids.
    for (const accountId of memberIds.toSorted(byId)) {
      members.set(accountId, { joinedSeq: 0, readSeq: 0, place: this.#places++ });
      this.#log(accountId, { kind: 'joined', conversationId: id });
    }
    const messages = messageId === null ? [] : [{ id: messageId, senderId: ownerId }];
    this.#conversations.set(id, { isDirect: messageId === null, owner: ownerId, members, messages });
  }

  said(id: string, seq: number, messageId: string, senderId: string): void {
    this.#of(id).messages[seq - 1] = { id: messageId, senderId };
  }

  read(id: string, accountId: string, seq: number): void {
    const { members, messages } = this.#of(id);
    const member = members.get(accountId);
    const to = Math.min(seq, messages.length);
    if (!member || to <= member.readSeq) return;
    member.readSeq = to;
    this.#log(accountId, { kind: 'read', conversationId: id, seq: to });
  }

  refusalOf(what: 'add' | 'remove', id: string, actorId: string, otherId: string): string | undefined {
    const { isDirect, owner, members } = this.#of(id);
    if (!members.has(actorId)) return 'not-found';
    if (isDirect) return 'forbidden';
    if (what === 'remove' && actorId !== otherId && actorId !== owner) return 'forbidden';
    return undefined;
  }

  added(id: string, accountId: string, actorId: string, messageId: string): void {
    const { members, messages } = this.#of(id);
    if (members.has(accountId)) return;
    const joinedSeq = messages.length;
    members.set(accountId, { joinedSeq, readSeq: joinedSeq, place: this.#places++ });
    messages.push({ id: messageId, senderId: actorId });
    this.#log(accountId, { kind: 'joined', conversationId: id });
  }

  removed(id: string, accountId: string, actorId: string, messageId: string): void {
    const conversation = this.#of(id);
    const { members, messages } = conversation;
    if (!members.delete(accountId)) return;
    messages.push({ id: messageId, senderId: actorId });
    this.#log(accountId, { kind: 'left', conversationId: id });
    const [eldest] = [...members].toSorted(([, a], [, b]) => a.place - b.place);
    if (conversation.owner === accountId) conversation.owner = eldest?.[0] ?? '';
  }

  /** True: it is a new device, and begins at the heads. */
  seen(key: string, accountId: string): boolean {
    if (this.#devices.has(key)) return false;
    const cursors = new Map<string, number>();
    for (const [id, { members, messages }] of this.#conversations)
      if (members.has(accountId)) cursors.set(id, messages.length);
    this.#devices.set(key, { accountId, cursors });
    return true;
  }

  forgotten(key: string): void {
    this.#devices.delete(key);
  }

  acknowledged(key: string, id: string, seq: number): void {
    const cursors = this.#devices.get(key)?.cursors;
    cursors?.set(id, Math.max(cursors.get(id) ?? 0, seq));
  }

  /** By conversation id: the messages that the device has not acknowledged, with their seqs. */
  pending(key: string): { id: string; messages: (readonly [number, string])[] }[] {
    const device = this.#devices.get(key);
    const pending: { id: string; messages: (readonly [number, string])[] }[] = [];
    for (const [id, { members, messages }] of this.#conversations) {
      const member = device && members.get(device.accountId);
      if (!member) continue;
      const after = Math.max(member.joinedSeq, device.cursors.get(id) ?? 0);
      const left = messages.map((message, index) => [index + 1, message.id] as const).slice(after);
      if (left.length > 0) pending.push({ id, messages: left });
    }
    return pending.toSorted((a, b) => byId(a.id, b.id));
  }

  viewsOf(accountId: string) {
    return [...this.#conversations].flatMap(([id, { members, messages }]) => {
      const member = members.get(accountId);
      if (!member) return [];
      const { joinedSeq, readSeq } = member;
      const unread = messages
        .slice(Math.max(readSeq, joinedSeq))
        .filter(({ senderId }) => senderId !== accountId);
      const headSeq = messages.length;
      const lastSeq = headSeq > joinedSeq ? headSeq : null;
      return [{ id, headSeq, joinedSeq, readSeq, unread: unread.length, memberCount: members.size, lastSeq }];
    });
  }

  #of(id: string): ModelConversation {
    const conversation = this.#conversations.get(id);
    if (!conversation) throw new Error(`no conversation ${id}`);
    return conversation;
  }

  #log(accountId: string, event: ModelEvent): void {
    this.#events.set(accountId, [...(this.#events.get(accountId) ?? []), event]);
  }
}

const byId = (a: string, b: string) => (BigInt(a) < BigInt(b) ? -1 : 1);
