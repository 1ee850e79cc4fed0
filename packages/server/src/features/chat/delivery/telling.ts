import type { ChatMark } from '@hvideo/protocol';
import type { Logger } from '../../../kernel/log.ts';
import type { MaybePromise } from '../../../kernel/maybe-promise.ts';
import type { StoredEvent } from '../../../ports/conversation-store/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import { toChatEvent } from './attached.ts';
import type { AttachedDevices } from './attached-devices.ts';
import type { Members } from './members.ts';
import type { Presence } from './presence.ts';
import { Notice } from './shared.ts';
import { MARKS_UP_TO_MEMBERS } from './types.ts';

export interface TellingDeps {
  readonly log: Logger;
  readonly members: Members;
  readonly presence: Presence;
  readonly devices: AttachedDevices;
}

/** What those who are here are told beside messages: events, marks, and that there are news to be asked for. */
export class Telling {
  readonly #deps: TellingDeps;

  constructor(deps: TellingDeps) {
    this.#deps = deps;
  }

  events(events: readonly StoredEvent[]): void {
    const { devices, presence } = this.#deps;
    for (const event of events) {
      const downlinks = presence.downlinksOf(event.accountId);
      if (downlinks.length > 0) {
        const notice = new Notice(toChatEvent(event));
        for (const downlink of [...downlinks]) {
          const attached = devices.get(downlink.device.id);
          if (event.kind === 'joined') attached?.join(event.conversationId);
          else if (event.kind === 'left') attached?.departed(event.conversationId);
          downlink.listener.notice(notice);
        }
      }
      presence.wake(event.accountId);
    }
  }

  /** Whether they are in it is to be read. */
  unsure(conversationId: string, accountIds: readonly string[]): void {
    const { devices, presence } = this.#deps;
    for (const accountId of accountIds) {
      for (const { device } of [...presence.downlinksOf(accountId)])
        devices.get(device.id)?.join(conversationId);
      presence.wake(accountId);
    }
  }

  mark(mark: ChatMark): void {
    const notice = new Notice(mark);
    this.#withMembers([mark.conversationId], (members) => {
      const ids = members.get(mark.conversationId) ?? [];
      if (ids.length > MARKS_UP_TO_MEMBERS) return;
      for (const id of ids)
        for (const { listener } of [...this.#deps.presence.downlinksOf(id)]) listener.notice(notice);
    });
  }

  /** Those who wait for news without a socket. */
  wakeMembers(messages: readonly StoredMessage[]): void {
    const { presence } = this.#deps;
    if (!presence.hasWaiters) return;
    this.#withMembers([...new Set(messages.map(({ conversationId }) => conversationId))], (members) => {
      for (const ids of members.values()) for (const id of ids) presence.wake(id);
    });
  }

  /** Hints: one that fails is lost. */
  #withMembers(
    conversationIds: readonly string[],
    use: (members: ReadonlyMap<string, readonly string[]>) => void,
  ): void {
    const { log, members: known } = this.#deps;
    const members: MaybePromise<ReadonlyMap<string, readonly string[]>> = known.of(conversationIds);
    if (members instanceof Promise)
      members.then(use).catch((error: unknown) => log.debug({ err: error }, 'members were not read'));
    else use(members);
  }
}
