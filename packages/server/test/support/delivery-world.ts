import pino from 'pino';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { MemoryRoutes } from '../../src/adapters/memory/route-table.ts';
import {
  Delivery,
  type DownlinkListener,
  type Notice,
  type Run,
} from '../../src/features/chat/delivery/index.ts';
import { type Clock, systemClock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { Bus, BusHandler } from '../../src/ports/bus/port.ts';
import type { Change } from '../../src/ports/conversation-store/port.ts';
import type { Device } from '../../src/ports/device-store/port.ts';
import { ChatWorld } from '../../src/ports/message-store/chat-world.ts';
import { memoryChatStores } from './chat-stores.ts';
import { testLog } from './database.ts';

/** So many times as fast as the real one: turns of a second pass in some milliseconds. */
const haste = 50;

export const hastyClock: Clock = {
  nowMs: () => Math.round(systemClock.monotonicMs() * haste),
  monotonicMs: () => systemClock.monotonicMs() * haste,
  sleep: (ms, options) => systemClock.sleep(ms / haste, options),
  after: (ms, run) => systemClock.after(ms / haste, run),
  every: (ms, run) => systemClock.every(ms / haste, run),
};

/** A bus that can lose and repeat what passes, and be away. */
export class LossyBus implements Bus {
  readonly #bus = new MemoryBus();
  readonly #handlers = new Set<BusHandler>();
  readonly #chance: () => number;
  losesShare = 0;
  repeatsShare = 0;
  isAway = false;

  constructor(chance: () => number = Math.random) {
    this.#chance = chance;
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    if (this.isAway) throw new AppError('timeout');
    if (this.#chance() < this.losesShare) return;
    await this.#bus.publish(topic, message);
    if (this.#chance() < this.repeatsShare) await this.#bus.publish(topic, message);
  }

  async subscribe(topic: string, handler: BusHandler) {
    this.#handlers.add(handler);
    const subscription = await this.#bus.subscribe(topic, handler);
    const bus = this;
    return {
      get isReceiving() {
        return !bus.isAway;
      },
      [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
    };
  }

  comeBack(): void {
    this.isAway = false;
    for (const handler of this.#handlers) handler.onGap();
  }
}

/** What a device has been given, in the order in which it came. */
export class TestDevice implements DownlinkListener {
  /** Of each conversation, in this connection: seqs, and `from-to` for gaps. */
  readonly given = new Map<string, (number | string)[]>();
  readonly notices: unknown[] = [];
  readonly texts: string[] = [];
  wasDisplaced = false;

  messages(run: Run): void {
    for (const { conversationId, seq, body } of run.messages) {
      this.#of(conversationId).push(seq);
      this.texts.push(body);
    }
  }

  gap(conversationId: string, fromSeq: number, toSeq: number): void {
    this.#of(conversationId).push(`${fromSeq}-${toSeq}`);
  }

  notice(notice: Notice): void {
    this.notices.push(notice.content);
  }

  displaced(): void {
    this.wasDisplaced = true;
  }

  seqs(conversationId: string): (number | string)[] {
    return this.given.get(conversationId) ?? [];
  }

  #of(conversationId: string) {
    const own = this.given.get(conversationId) ?? [];
    this.given.set(conversationId, own);
    return own;
  }
}

export type DeliveryWorld = Awaited<ReturnType<typeof deliveryWorld>>;

/** Some nodes on one store, one bus and one route table, all in memory. */
export async function deliveryWorld(nodeCount = 1, bus = new LossyBus()) {
  const stores = memoryChatStores();
  const world = new ChatWorld(stores);
  const routes = new MemoryRoutes({ clock: hastyClock });
  const nodes: Delivery[] = [];
  /** Nodes that do not reach the route table. */
  const withoutRoutes = new Set<number>();
  const routesOf = (node: number, name: string, generation: number) => {
    const table = routes.open(name, () => ({ node, generation }));
    const add = async (accountIds: readonly string[]) => {
      if (withoutRoutes.has(node)) throw new AppError('timeout');
      await table.add(accountIds);
    };
    return { ...table, add };
  };
  const log = process.env.HVIDEO_TEST_LOG ? testLog : pino({ level: 'silent' });
  const openNode = async (node: number, generation = 1) =>
    Delivery.open({
      ...{ clock: hastyClock, random: systemRandom, log, bus },
      ...{ messages: stores.messages, conversations: stores.conversations, devices: stores.devices },
      routes: routesOf(node, `n${node}-${generation}`, generation),
      nodeName: `n${node}-${generation}`,
      checkpoints: {
        note: (device, conversationId, seq) =>
          void stores.devices.checkpoint([{ deviceId: device.id, conversationId, seq }], world.nowMs),
      },
    });
  for (let node = 0; node < nodeCount; node += 1) nodes.push(await openNode(node));
  const [node] = nodes;
  return {
    ...{ stores, world, routes, withoutRoutes, bus, nodes, openNode },
    node: node!,
    register: async (accountId: string): Promise<Device> =>
      stores.devices.register({
        ...{ id: world.id(), accountId, sessionId: await world.session(accountId) },
        ...{ instance: '', nowMs: world.nowMs },
      }),
    /** Stores messages of one sender and tells a node of them; answers their seqs. */
    say: async (
      conversationId: string,
      senderId: string,
      count = 1,
      at: Pick<Delivery, 'committed'> = node!,
      deviceId = '1',
    ) => {
      const sends = Array.from({ length: count }, () => ({
        ...{ conversationId, senderId, deviceId, id: world.id(), timestampMs: world.nowMs },
        ...{ body: '{"type":"text","text":"hello"}', bodyHash: '1' },
      }));
      const verdicts = await stores.messages.commit(sends);
      const stored = verdicts.map((verdict, index) => {
        if (verdict.kind !== 'stored') throw new Error(`not stored: ${JSON.stringify(verdict)}`);
        const { seq, id, timestampMs } = verdict;
        return {
          ...{ conversationId, seq, id, senderId, deviceId, clientSeq: null, quoteSeq: null, timestampMs },
          body: sends[index]!.body,
        };
      });
      at.committed(stored);
      return stored.map(({ seq }) => seq);
    },
    tell: (change: Change, at = node!) => {
      if (change.message) at.committed([change.message]);
      at.events(change.events);
    },
    cursorOf: async (device: Device, conversationId: string) => {
      const pending = await stores.devices.pending(device);
      const found = pending?.find((each) => each.conversationId === conversationId);
      if (found) return found.cursorSeq;
      return (await stores.messages.heads([conversationId])).get(conversationId) ?? 0;
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of nodes) await each[Symbol.asyncDispose]();
      await stores.close();
    },
  };
}
