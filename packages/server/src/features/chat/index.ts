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
import type { Random } from '../../kernel/random.ts';
import type { Bus } from '../../ports/bus/port.ts';
import type { ConversationStore } from '../../ports/conversation-store/port.ts';
import type { DeviceStore } from '../../ports/device-store/port.ts';
import type { MessageStore } from '../../ports/message-store/port.ts';
import type { RouteTable } from '../../ports/route-table/port.ts';
import {
  type Commits,
  Committer,
  type CommitterDeps,
  measured,
  Owner,
  RemoteCommitter,
} from './commit/index.ts';
import { Conversations } from './conversations/conversations.ts';
import { Reading } from './conversations/reading.ts';
import { Sending } from './conversations/sending.ts';
import { Delivery } from './delivery/index.ts';
import { exportChat } from './metrics.ts';
import { Checkpoints } from './sync/checkpoints.ts';
import { Devices } from './sync/devices.ts';
import { GroupSizes } from './sync/group-sizes.ts';
import { OfflineBoxes } from './sync/offline-boxes.ts';
import { Sync } from './sync/sync.ts';
import type { ChatPeople, Told } from './types.ts';

export { type ChatRecords, createChatRecords, deletesMessages } from './records/index.ts';
export type { Login } from './sync/devices.ts';
export type { ChatPeople } from './types.ts';

export interface ChatDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly cursors: CursorCodec;
  readonly messages: MessageStore;
  readonly conversations: ConversationStore;
  readonly devices: DeviceStore;
  readonly people: ChatPeople;
  readonly routes: RouteTable;
  readonly bus: Bus;
  /** Of this process, on the bus; no other has ever had it. */
  readonly nodeName: string;
  /** Where clients reach this node past whatever stands before all. */
  readonly address?: string | undefined;
  /** False: what is said here is committed by other processes, which own conversations. */
  readonly ownsConversations?: boolean;
  /** What an account may cost is bounded. */
  readonly hasLimits: boolean;
}

export type Chat = Awaited<ReturnType<typeof createChat>>;

export async function createChat(deps: ChatDeps) {
  const { clock, ids, log, conversations, messages } = deps;
  const devices = new Devices({ store: deps.devices, clock, ids, hasLimits: deps.hasLimits });
  const sizes = new GroupSizes(clock, conversations);
  const shared = { clock, log, devices: deps.devices, conversations, sizes };
  const checkpoints = new Checkpoints({ ...shared, told: { mark: (mark) => delivery.mark(mark) } });
  const boxes = new OfflineBoxes({
    ...{ ...shared, routes: deps.routes },
    presentDevices: (id) => delivery.presentDevices(id),
  });
  const delivery = await Delivery.open({ ...deps, checkpoints, heard: (stored) => boxes.heard(stored) });
  const told: Told = {
    committed(stored) {
      delivery.committed(stored);
      boxes.committed(stored);
    },
    events: (events) => delivery.events(events),
    mark: (mark) => delivery.mark(mark),
    suspect: (conversationIds) => delivery.suspect(conversationIds),
    suspectMembers: (conversationId, accountIds) => delivery.suspectMembers(conversationId, accountIds),
  };
  const committer = await openCommits(deps, told);
  const sync = new Sync({
    ...{ clock, log, messages, conversations, deviceStore: deps.devices, devices },
    ...{ told, news: delivery },
  });
  if (deps.metrics) exportChat(deps.metrics, { committer, delivery, sync, checkpoints, boxes });
  return {
    conversations: new Conversations({ ...deps, told }),
    reading: new Reading({ ...deps, told }),
    sending: new Sending({ devices, committer, delivery }),
    ...{ told, committer, delivery, devices, checkpoints, boxes, sync },
    async [Symbol.asyncDispose](): Promise<void> {
      sync.drain();
      await committer[Symbol.asyncDispose]();
      await delivery[Symbol.asyncDispose]();
      await checkpoints[Symbol.asyncDispose]();
      await boxes[Symbol.asyncDispose]();
    },
  };
}

/** One process alone commits by itself; of several, those that own conversations do it for all. */
async function openCommits(deps: ChatDeps, told: Told): Promise<Commits> {
  const onUnknown = (conversationIds: readonly string[]) => told.suspect(conversationIds);
  const { isAlone } = deps.routes;
  if (!isAlone && deps.ownsConversations === false) return RemoteCommitter.open({ ...deps, onUnknown });
  const messages = deps.metrics ? measured(deps.messages, deps.clock, deps.metrics) : deps.messages;
  const onCommitted: CommitterDeps['onCommitted'] = (stored) => told.committed(stored);
  const committer = new Committer({ ...deps, messages, onUnknown, onCommitted });
  return isAlone ? committer : Owner.open(deps, committer);
}
