import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { ConversationStore } from '../../../ports/conversation-store/port.ts';
import type { DeviceStore, News } from '../../../ports/device-store/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import type { GroupSizes } from './group-sizes.ts';
import { SMALL_GROUP_MEMBERS } from './group-sizes.ts';

export interface OfflineBoxesDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly devices: Pick<DeviceStore, 'note'>;
  readonly conversations: Pick<ConversationStore, 'memberIds'>;
  readonly sizes: Pick<GroupSizes, 'note'>;
  /** Devices of this node that get the messages of a conversation by themselves. */
  readonly presentDeviceIds: (conversationId: string) => readonly string[];
}

const everyMs = 1_000;
const atOnce = 500;
const maxWaiting = 10_000;

/**
 * Writes pointers into the boxes of devices that are away: after the receipts, gathered by conversation, a second later. Boxes
 * are no truth: what a device lacks is derived when it syncs. So what finds no room here, or meets a store that fails, is left
 * out and counted.
 */
export class OfflineBoxes implements AsyncDisposable {
  readonly #deps: OfflineBoxesDeps;
  readonly #waiting = new Set<string>();
  #flushing: Promise<void> | undefined;
  #timer: Disposable | undefined;
  #left = 0;

  constructor(deps: OfflineBoxesDeps) {
    this.#deps = deps;
  }

  committed(messages: readonly StoredMessage[]): void {
    for (const { conversationId } of messages) {
      if (this.#waiting.size < maxWaiting || this.#waiting.has(conversationId))
        this.#waiting.add(conversationId);
      else this.#left += 1;
    }
    if (!this.#flushing) this.#timer ??= this.#deps.clock.after(everyMs, () => void this.flush());
  }

  /** Messages without a pointer, since the start. */
  get leftOut(): number {
    return this.#left;
  }

  async flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#waiting.size > 0 || this.#flushing) await this.flush();
    this.#timer?.[Symbol.dispose]();
  }

  async #flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    while (this.#waiting.size > 0) {
      const ids = [...this.#waiting].slice(0, atOnce);
      for (const id of ids) this.#waiting.delete(id);
      try {
        await this.#write(ids);
      } catch (error) {
        this.#left += ids.length;
        this.#deps.log.warn({ err: error, conversations: ids.length }, 'offline boxes were not written');
      }
    }
  }

  async #write(conversationIds: readonly string[]): Promise<void> {
    const { clock, conversations, devices, presentDeviceIds, sizes } = this.#deps;
    const members = await conversations.memberIds(conversationIds);
    sizes.note(members);
    const news: News[] = [];
    for (const [conversationId, accountIds] of members) {
      if (accountIds.length > SMALL_GROUP_MEMBERS) continue;
      news.push({ conversationId, accountIds, presentDeviceIds: presentDeviceIds(conversationId) });
    }
    if (news.length > 0) await devices.note(news, clock.nowMs());
  }
}
