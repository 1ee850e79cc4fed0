import type { Clock } from '../../../kernel/clock.ts';
import type { ConversationStore } from '../../../ports/conversation-store/port.ts';
import { MARKS_UP_TO_MEMBERS } from '../delivery/index.ts';

/** Of a larger group no marks and no pointers are written: they would be as many as its messages times its members. */
export const SMALL_GROUP_MEMBERS = MARKS_UP_TO_MEMBERS;

const rememberedMs = 60_000;
const maxRemembered = 50_000;

/** Which conversations are small, remembered for a minute: a group that grows is treated as small that much longer. */
export class GroupSizes {
  readonly #clock: Clock;
  readonly #conversations: Pick<ConversationStore, 'memberIds'>;
  readonly #remembered = new Map<string, { readonly isSmall: boolean; readonly untilMs: number }>();

  constructor(clock: Clock, conversations: Pick<ConversationStore, 'memberIds'>) {
    this.#clock = clock;
    this.#conversations = conversations;
  }

  /** Those of the conversations that are. */
  async small(conversationIds: readonly string[]): Promise<ReadonlySet<string>> {
    const nowMs = this.#clock.monotonicMs();
    const ids = [...new Set(conversationIds)];
    const unknown = ids.filter((id) => (this.#remembered.get(id)?.untilMs ?? 0) <= nowMs);
    if (unknown.length > 0) this.note(await this.#conversations.memberIds(unknown));
    return new Set(ids.filter((id) => this.#remembered.get(id)?.isSmall));
  }

  /** What was read of members elsewhere. */
  note(members: ReadonlyMap<string, readonly string[]>): void {
    const untilMs = this.#clock.monotonicMs() + rememberedMs;
    for (const [id, accountIds] of members) {
      this.#remembered.delete(id);
      this.#remembered.set(id, { isSmall: accountIds.length <= SMALL_GROUP_MEMBERS, untilMs });
    }
    for (const id of this.#remembered.keys()) {
      if (this.#remembered.size <= maxRemembered) break;
      this.#remembered.delete(id);
    }
  }
}
