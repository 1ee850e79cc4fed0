import { AppError } from '../../../kernel/errors.ts';
import type { StoredEvent } from '../../../ports/conversation-store/port.ts';
import type { Idempotency } from '../../../ports/database/port.ts';
import type { Device, DeviceName } from '../../../ports/device-store/port.ts';
import type { PastVerdict, Tail } from '../../../ports/message-store/decide.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';

/**
 * What a database of chat holds, in memory. The three stores on it are a node's handles: several nodes of a simulation share one.
 * Each call is one step, as if it held every lock.
 */
export class MemoryChat {
  readonly accounts = new Set<string>();
  /** `blocker:blocked` */
  readonly blocks = new Set<string>();
  /** Logins, with their accounts. */
  readonly sessions = new Map<string, string>();
  readonly conversations = new Map<string, MemoryConversation>();
  /** Of direct chats: `directKey` of the two. */
  readonly direct = new Map<string, string>();
  readonly events = new Map<string, MemoryEvents>();
  readonly devices = new Map<string, MemoryDevice>();
  /** Answers to requests that may be repeated, as JSON. */
  readonly #answers = new Map<string, { readonly requestHash: string; readonly answer: string }>();

  /** `work`, and its answer again for the same request. */
  once<T>(request: Idempotency | undefined, work: () => T): T {
    if (!request) return work();
    const name = `${request.accountId}/${request.key}`;
    const known = this.#answers.get(name) ?? {
      requestHash: request.requestHash,
      answer: JSON.stringify(work()),
    };
    if (known.requestHash !== request.requestHash) throw new AppError('idempotency-conflict');
    this.#answers.set(name, known);
    return JSON.parse(known.answer) as T;
  }

  areBlocked(a: string, b: string): boolean {
    return this.blocks.has(`${a}:${b}`) || this.blocks.has(`${b}:${a}`);
  }

  /** It is a direct chat in which one has blocked the other. */
  isBlocked({ type, members }: MemoryConversation): boolean {
    const [a, b] = [...members.keys()];
    return type === 'direct' && a !== undefined && b !== undefined && this.areBlocked(a, b);
  }

  /** Its devices go along. */
  endSession(sessionId: string): void {
    this.sessions.delete(sessionId);
    for (const [id, device] of this.devices) if (device.sessionId === sessionId) this.devices.delete(id);
  }

  requireAccounts(accountIds: readonly string[]): void {
    if (!accountIds.every((id) => this.accounts.has(id))) throw new AppError('not-found');
  }

  requireUnblocked(actorId: string, accountIds: readonly string[]): void {
    if (accountIds.some((id) => this.areBlocked(actorId, id))) throw new AppError('blocked');
  }

  /** For one more conversation. */
  requireRoom(accountIds: readonly string[], maxConversations: number): void {
    const isFull = (id: string) => this.conversationsOf(id).length >= maxConversations;
    if (accountIds.some(isFull)) throw new AppError('too-many-conversations');
  }

  conversationsOf(accountId: string): MemoryConversation[] {
    return [...this.conversations.values()].filter((it) => it.members.has(accountId));
  }
}

export interface MemoryConversation {
  readonly id: string;
  readonly type: 'direct' | 'group';
  title: string | null;
  readonly createdAtMs: number;
  headMessageId: string;
  readonly members: Map<string, MemoryMember>;
  /** By seq, the first at 0. */
  readonly messages: StoredMessage[];
  readonly tails: Map<string, Tail | null>;
  /** By `verdictKey`. */
  readonly verdicts: Map<string, PastVerdict>;
}

export interface MemoryMember {
  role: 'owner' | 'member';
  readonly joinedAtMs: number;
  readonly joinedSeq: number;
  readSeq: number;
  deliveredSeq: number;
  /** What others go on seeing since a block; undefined: the marks themselves. */
  shown: { readonly readSeq: number; readonly deliveredSeq: number } | undefined;
}

export interface MemoryEvents {
  pts: number;
  newest: StoredEvent[];
}

export interface MemoryDevice extends Omit<Device, 'isNew'>, Pick<DeviceName, 'sessionId' | 'instance'> {
  seenAtMs: number;
  readonly cursors: Map<string, number>;
  readonly box: Set<string>;
  boxOverflowed: boolean;
}

export const headOf = (conversation: MemoryConversation) => conversation.messages.length;

export function memberOf(role: MemoryMember['role'], joinedAtMs: number, joinedSeq: number): MemoryMember {
  return { role, joinedAtMs, joinedSeq, readSeq: joinedSeq, deliveredSeq: joinedSeq, shown: undefined };
}

/** What the server says becomes the newest message. */
export function say(
  conversation: MemoryConversation,
  by: { readonly messageId: string; readonly actorId: string; readonly nowMs: number },
  body: string,
): StoredMessage {
  const message: StoredMessage = {
    ...{
      conversationId: conversation.id,
      seq: headOf(conversation) + 1,
      id: by.messageId,
      senderId: by.actorId,
    },
    ...{ deviceId: null, clientSeq: null, quoteSeq: null, timestampMs: by.nowMs, body },
  };
  conversation.messages.push(message);
  conversation.headMessageId = by.messageId;
  return message;
}
