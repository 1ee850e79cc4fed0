/**
 * Chat: conversations and their members, what is said in them, and how it reaches devices. It is made of ports alone, so that a
 * simulation can give it stores, a clock and a bus of its own.
 *
 *     const chat = createChat({ clock, ids, log, cursors, messages, conversations, devices, people, ... });
 *     chat.conversations.create(accountId, { type: 'group', memberIds, title })
 *     chat.reading.history(accountId, conversationId, { limit }) / .members / .markRead
 *     chat.sending.send(login, conversationId, { content })
 *     chat.sync.sync(login, { pts, acknowledged, waitMs }, signal)
 */
import type { Clock } from '../../kernel/clock.ts';
import type { CursorCodec } from '../../kernel/cursor.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import type { ConversationStore } from '../../ports/conversation-store/port.ts';
import type { DeviceStore } from '../../ports/device-store/port.ts';
import type { MessageStore } from '../../ports/message-store/port.ts';
import { Conversations } from './conversations/conversations.ts';
import { Reading } from './conversations/reading.ts';
import { Sending } from './conversations/sending.ts';
import { LoneSender, Untold } from './interim.ts';
import { Checkpoints } from './sync/checkpoints.ts';
import { Devices } from './sync/devices.ts';
import { GroupSizes } from './sync/group-sizes.ts';
import { OfflineBoxes } from './sync/offline-boxes.ts';
import { Sync } from './sync/sync.ts';
import type { ChatPeople, News, Sender, Told } from './types.ts';

export { createChatRecords } from './records/index.ts';
export type { Login } from './sync/devices.ts';
export type { ChatPeople } from './types.ts';

export interface ChatDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly cursors: CursorCodec;
  readonly messages: MessageStore;
  readonly conversations: ConversationStore;
  readonly devices: DeviceStore;
  readonly people: ChatPeople;
}

export type Chat = ReturnType<typeof createChat>;

export function createChat(deps: ChatDeps) {
  const { clock, ids, log, conversations, messages } = deps;
  const told: Told & News = new Untold();
  const sender: Sender = new LoneSender({ clock, ids, messages, told });
  const devices = new Devices({ store: deps.devices, clock, ids });
  const sizes = new GroupSizes(clock, conversations);
  const shared = { clock, log, devices: deps.devices, conversations, sizes };
  const checkpoints = new Checkpoints({ ...shared, told });
  const boxes = new OfflineBoxes({ ...shared, presentDeviceIds: () => [] });
  const sync = new Sync({
    ...{ clock, log, messages, conversations, deviceStore: deps.devices, devices },
    ...{ told, news: told },
  });
  return {
    conversations: new Conversations({ ...deps, told }),
    reading: new Reading({ ...deps, told }),
    sending: new Sending(devices, sender),
    ...{ told, devices, checkpoints, boxes, sync },
    async [Symbol.asyncDispose](): Promise<void> {
      sync.drain();
      await checkpoints[Symbol.asyncDispose]();
      await boxes[Symbol.asyncDispose]();
    },
  };
}
