import type { Clock } from '../../../kernel/clock.ts';
import type { MaybePromise } from '../../../kernel/maybe-promise.ts';
import type { ConversationStore } from '../../../ports/conversation-store/port.ts';

interface Known {
  readonly accountIds: readonly string[];
  readonly untilMs: number;
}

/** Changes are told to all nodes; one that was not heard of is made up for after so long. */
const rememberedMs = 10_000;
const maxConversations = 50_000;
const maxMembers = 1_000_000;

const nobody: readonly string[] = [];

/** Who is in which conversation, remembered for some seconds: for routing, where an old answer costs time and nothing else. */
export class Members {
  readonly #clock: Clock;
  readonly #conversations: Pick<ConversationStore, 'memberIds'>;
  /** In the order in which they were read. */
  readonly #known = new Map<string, Known>();
  /** Read at this moment; those that changed meanwhile are not remembered. */
  readonly #loading = new Set<string>();
  readonly #changed = new Set<string>();
  #members = 0;
  #loads = 0;

  constructor(clock: Clock, conversations: Pick<ConversationStore, 'memberIds'>) {
    this.#clock = clock;
    this.#conversations = conversations;
  }

  /** At once when all are known. */
  of(conversationIds: readonly string[]): MaybePromise<ReadonlyMap<string, readonly string[]>> {
    const nowMs = this.#clock.monotonicMs();
    const members = new Map<string, readonly string[]>();
    const unknown: string[] = [];
    for (const id of conversationIds) {
      const known = this.#known.get(id);
      if (known && nowMs < known.untilMs) members.set(id, known.accountIds);
      else unknown.push(id);
    }
    return unknown.length === 0 ? members : this.#load(unknown, members);
  }

  forget(conversationIds: Iterable<string>): void {
    for (const id of conversationIds) {
      this.#drop(id);
      if (this.#loading.has(id)) this.#changed.add(id);
    }
  }

  async #load(
    ids: readonly string[],
    members: Map<string, readonly string[]>,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    for (const id of ids) this.#loading.add(id);
    this.#loads += 1;
    try {
      const found = await this.#conversations.memberIds(ids);
      for (const id of ids) {
        const accountIds = found.get(id) ?? nobody;
        members.set(id, accountIds);
        if (!this.#changed.has(id)) this.#remember(id, accountIds);
      }
      return members;
    } finally {
      this.#loads -= 1;
      if (this.#loads === 0) {
        this.#loading.clear();
        this.#changed.clear();
      }
    }
  }

  #remember(id: string, accountIds: readonly string[]): void {
    this.#drop(id);
    this.#known.set(id, { accountIds, untilMs: this.#clock.monotonicMs() + rememberedMs });
    this.#members += accountIds.length;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxConversations && this.#members <= maxMembers) break;
      this.#drop(oldest);
    }
  }

  #drop(id: string): void {
    const known = this.#known.get(id);
    if (!known) return;
    this.#known.delete(id);
    this.#members -= known.accountIds.length;
  }
}
