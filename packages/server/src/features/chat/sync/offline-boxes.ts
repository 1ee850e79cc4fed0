import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { ConversationStore } from '../../../ports/conversation-store/port.ts';
import type { Device, DeviceStore, News } from '../../../ports/device-store/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import { MAX_ACCOUNTS, type RouteTable } from '../../../ports/route-table/port.ts';
import type { GroupSizes } from './group-sizes.ts';
import { SMALL_GROUP_MEMBERS } from './group-sizes.ts';

export interface OfflineBoxesDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly devices: Pick<DeviceStore, 'note'>;
  readonly conversations: Pick<ConversationStore, 'memberIds'>;
  readonly sizes: Pick<GroupSizes, 'note' | 'small'>;
  readonly routes: Pick<RouteTable, 'isAlone' | 'nodesOf'>;
  /** Those of this node that get the messages of a conversation by themselves. */
  readonly presentDevices: (conversationId: string) => readonly Pick<Device, 'id' | 'accountId'>[];
}

const everyMs = 1_000;
const atOnce = 500;
const maxWaiting = 10_000;

/**
 * Writes pointers into the boxes of devices that are away: after the receipts, gathered by conversation, a second later. Boxes
 * are no truth: what a device lacks is derived when it syncs. So what finds no room here, or meets a store that fails, is left
 * out and counted.
 *
 * Which devices are away is known where those of the account are connected: each node writes for accounts that it has a device
 * of, the one that commits also for those that are nowhere.
 */
export class OfflineBoxes implements AsyncDisposable {
  readonly #deps: OfflineBoxesDeps;
  /** Whether the conversation was spoken in by way of this node. */
  readonly #waiting = new Map<string, boolean>();
  #flushing: Promise<void> | undefined;
  #timer: Disposable | undefined;
  #left = 0;

  constructor(deps: OfflineBoxesDeps) {
    this.#deps = deps;
  }

  committed(messages: readonly StoredMessage[]): void {
    this.#note(messages, true);
  }

  /** Committed by another node. */
  heard(messages: readonly StoredMessage[]): void {
    this.#note(messages, false);
  }

  #note(messages: readonly StoredMessage[], isOwn: boolean): void {
    for (const { conversationId } of messages) {
      const known = this.#waiting.get(conversationId);
      if (known !== undefined || this.#waiting.size < maxWaiting)
        this.#waiting.set(conversationId, known === true || isOwn);
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
      const some = [...this.#waiting].slice(0, atOnce);
      for (const [id] of some) this.#waiting.delete(id);
      const own = some.flatMap(([id, isOwn]) => (isOwn ? id : []));
      const heard = some.flatMap(([id, isOwn]) => (isOwn ? [] : id));
      try {
        const news = [...(await this.#newsOfOwn(own)), ...(await this.#newsOfHeard(heard))];
        if (news.length > 0) await this.#deps.devices.note(news, this.#deps.clock.nowMs());
      } catch (error) {
        this.#left += some.length;
        this.#deps.log.warn({ err: error, conversations: some.length }, 'offline boxes were not written');
      }
    }
  }

  async #newsOfOwn(conversationIds: readonly string[]): Promise<News[]> {
    if (conversationIds.length === 0) return [];
    const { conversations, sizes } = this.#deps;
    const members = await conversations.memberIds(conversationIds);
    sizes.note(members);
    const small = [...members].filter(([, accountIds]) => accountIds.length <= SMALL_GROUP_MEMBERS);
    const elsewhere = await this.#elsewhere(new Set(small.flatMap(([, accountIds]) => accountIds)));
    return small.flatMap(([conversationId, accountIds]) => {
      const here = this.#here(conversationId);
      const own = accountIds.filter((id) => here.accountIds.has(id) || !elsewhere.has(id));
      return own.length > 0 ? { conversationId, accountIds: own, presentDeviceIds: here.deviceIds } : [];
    });
  }

  async #newsOfHeard(conversationIds: readonly string[]): Promise<News[]> {
    const read = conversationIds.filter((id) => this.#deps.presentDevices(id).length > 0);
    if (read.length === 0) return [];
    return [...(await this.#deps.sizes.small(read))].map((conversationId) => {
      const { accountIds, deviceIds } = this.#here(conversationId);
      return { conversationId, accountIds: [...accountIds], presentDeviceIds: deviceIds };
    });
  }

  #here(conversationId: string) {
    const present = this.#deps.presentDevices(conversationId);
    return {
      accountIds: new Set(present.map(({ accountId }) => accountId)),
      deviceIds: present.map(({ id }) => id),
    };
  }

  /** Those of the accounts that have a device at another node. */
  async #elsewhere(accountIds: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const { routes } = this.#deps;
    const found = new Set<string>();
    if (routes.isAlone) return found;
    const all = [...accountIds];
    for (let from = 0; from < all.length; from += MAX_ACCOUNTS) {
      const some = all.slice(from, from + MAX_ACCOUNTS);
      const nodes = await routes.nodesOf(some);
      for (const [at, id] of some.entries()) if ((nodes[at]?.length ?? 0) > 0) found.add(id);
    }
    return found;
  }
}
