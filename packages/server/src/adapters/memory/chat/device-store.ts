import { AppError } from '../../../kernel/errors.ts';
import { compareIds } from '../../../kernel/ids.ts';
import {
  type Cursor,
  type Device,
  type DeviceName,
  type DeviceStore,
  MAX_BOX,
  MAX_DEVICES,
  type News,
  type PendingConversation,
} from '../../../ports/device-store/port.ts';
import { headOf, type MemoryChat, type MemoryConversation, type MemoryDevice } from './state.ts';

export class MemoryDeviceStore implements DeviceStore {
  readonly #chat: MemoryChat;

  constructor(chat: MemoryChat) {
    this.#chat = chat;
  }

  async register({ id, accountId, sessionId, instance, nowMs }: DeviceName): Promise<Device> {
    if (this.#chat.sessions.get(sessionId) !== accountId) throw new AppError('token-invalid');
    const known = this.#devicesOf(accountId).find(
      (device) => device.sessionId === sessionId && device.instance === instance,
    );
    if (known) {
      known.seenAtMs = Math.max(known.seenAtMs, nowMs);
      return { id: known.id, accountId, isNew: false };
    }
    const cursors = new Map(this.#chat.conversationsOf(accountId).map((it) => [it.id, headOf(it)]));
    const device: MemoryDevice = {
      ...{ id, accountId, sessionId, instance, seenAtMs: nowMs, cursors },
      ...{ box: new Set(), boxOverflowed: false },
    };
    const others = this.#devicesOf(accountId);
    others.sort((a, b) => b.seenAtMs - a.seenAtMs || compareIds(b.id, a.id));
    for (const other of others.slice(MAX_DEVICES - 1)) this.#chat.devices.delete(other.id);
    this.#chat.devices.set(id, device);
    return { id, accountId, isNew: true };
  }

  async pending({ id, accountId }: Device): Promise<PendingConversation[] | null> {
    const device = this.#chat.devices.get(id);
    if (!device) return null;
    const pending = this.#pending(accountId, device.cursors);
    // A stable sort: what the box names comes first.
    const isNamed = (it: PendingConversation) => device.box.has(it.conversationId);
    return pending.sort((a, b) => Number(isNamed(b)) - Number(isNamed(a)));
  }

  async checkpoint(cursors: readonly Cursor[], nowMs: number): Promise<void> {
    for (const { deviceId, conversationId, seq } of cursors) {
      const device = this.#chat.devices.get(deviceId);
      if (!device) continue;
      device.seenAtMs = Math.max(device.seenAtMs, nowMs);
      const conversation = this.#chat.conversations.get(conversationId);
      if (!conversation) continue;
      const known = device.cursors.get(conversationId) ?? 0;
      const raised = Math.max(known, Math.min(seq, headOf(conversation)));
      device.cursors.set(conversationId, raised);
      if (raised === headOf(conversation)) device.box.delete(conversationId);
      if (device.boxOverflowed && this.#pending(device.accountId, device.cursors).length === 0)
        device.boxOverflowed = false;
    }
  }

  async note(news: readonly News[]): Promise<void> {
    for (const { conversationId, accountIds, presentDeviceIds } of news) {
      if (!this.#chat.conversations.has(conversationId)) continue;
      for (const device of accountIds.flatMap((id) => this.#devicesOf(id))) {
        if (device.boxOverflowed || presentDeviceIds.includes(device.id)) continue;
        device.box.add(conversationId);
        if (device.box.size <= MAX_BOX) continue;
        device.box.clear();
        device.boxOverflowed = true;
      }
    }
  }

  async forget(seenBeforeMs: number, limit: number): Promise<number> {
    const unseen = [...this.#chat.devices.values()].filter(({ seenAtMs }) => seenAtMs < seenBeforeMs);
    const oldest = unseen.sort((a, b) => a.seenAtMs - b.seenAtMs).slice(0, limit);
    for (const { id } of oldest) this.#chat.devices.delete(id);
    return oldest.length;
  }

  #devicesOf(accountId: string): MemoryDevice[] {
    return [...this.#chat.devices.values()].filter((device) => device.accountId === accountId);
  }

  #pending(accountId: string, cursors: ReadonlyMap<string, number>): PendingConversation[] {
    const pending = this.#chat
      .conversationsOf(accountId)
      .map((it) => pendingOf(it, accountId, cursors.get(it.id) ?? 0));
    return pending
      .filter(({ cursorSeq, headSeq }) => headSeq > cursorSeq)
      .sort((a, b) => compareIds(a.conversationId, b.conversationId));
  }
}

function pendingOf(conversation: MemoryConversation, accountId: string, cursor: number): PendingConversation {
  const joinedSeq = conversation.members.get(accountId)?.joinedSeq ?? 0;
  return {
    conversationId: conversation.id,
    cursorSeq: Math.max(cursor, joinedSeq),
    headSeq: headOf(conversation),
  };
}
