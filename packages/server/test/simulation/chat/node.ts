import type { AnyEndpoint, Problem, User } from '@hvideo/protocol';
import pino from 'pino';
import { MemoryConversationStore } from '../../../src/adapters/memory/chat/conversation-store.ts';
import { MemoryDeviceStore } from '../../../src/adapters/memory/chat/device-store.ts';
import { MemoryMessageStore } from '../../../src/adapters/memory/chat/message-store.ts';
import type { MemoryChat } from '../../../src/adapters/memory/chat/state.ts';
import { type Chat, createChat } from '../../../src/features/chat/index.ts';
import { createCursorCodec } from '../../../src/kernel/cursor.ts';
import { AppError } from '../../../src/kernel/errors.ts';
import { problemDocument } from '../../../src/transport/http/problems.ts';
import type { Viewer } from '../../../src/transport/http/route.ts';
import { chatRoutes } from '../../../src/transport/http/routes/chat.ts';
import { Gateway } from '../../../src/transport/stomp/index.ts';
import type { SimulatedBus } from './bus.ts';
import type { SimulatedDatabase } from './database.ts';
import { type Faults, faultyMessages } from './faults.ts';
import type { Network, Side } from './network.ts';
import { Machine, type Scheduler } from './scheduler.ts';
import type { Browser, Parts } from './tab.ts';

const routeTtlMs = 30_000;
const log = pino({ level: process.env.HVIDEO_TEST_LOG ?? 'silent' });
const cursors = createCursorCodec([{ kid: 'sim', secret: Buffer.alloc(32, 7).toString('base64url') }]);

/** What is around nodes. */
export interface NodeWorld {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly bus: SimulatedBus;
  readonly database: SimulatedDatabase;
  readonly memory: MemoryChat;
  readonly faults: Faults;
  nextId(): string;
}

/** What a process does; `all` unless they are apart. */
export type NodeRole = 'all' | 'gateway' | 'chat';

/** A process of the server: the real features and the real gateway, from its start until it is killed. */
export class SimulatedNode {
  readonly #world: NodeWorld;
  readonly #name: string;
  readonly role: NodeRole;
  machine: Machine;
  #starts = 0;
  #running: { readonly chat: Chat; readonly gateway: Gateway } | undefined;

  constructor(world: NodeWorld, name: string, role: NodeRole) {
    this.#world = world;
    this.#name = name;
    this.role = role;
    this.machine = new Machine(name);
    this.machine.isAlive = false;
  }

  start(): void {
    if (this.machine.isAlive) return;
    // Another process under the same name: what the one before was doing must not come back with it.
    const { clockOffsetMs } = this.machine;
    this.machine = new Machine(this.#name);
    this.machine.clockOffsetMs = clockOffsetMs;
    this.#starts += 1;
    void this.#compose(this.machine);
  }

  async #compose(machine: Machine): Promise<void> {
    const { bus, database, faults, memory, scheduler } = this.#world;
    const clock = scheduler.clockOf(machine);
    const random = scheduler.random.fork();
    const shared = { clock, random, log };
    const chat = await createChat({
      ...{ ...shared, cursors, ids: { next: () => this.#world.nextId() } },
      messages: faultyMessages(faults, database.through(machine, new MemoryMessageStore(memory))),
      conversations: database.through(machine, new MemoryConversationStore(memory)),
      devices: database.through(machine, new MemoryDeviceStore(memory)),
      people: {
        cards: async (ids) => new Map(ids.map((id) => [id, userOf(id)])),
        reachable: async (ids) => new Set(ids),
      },
      routes: bus.routesOf(machine, routeTtlMs),
      bus: bus.busOf(machine),
      nodeName: `${this.#name}-${this.#starts}`,
      ...{ address: `ws://${this.#name}/ws`, hasLimits: false, ownsConversations: this.role !== 'gateway' },
    });
    const gateway = new Gateway({
      ...{ ...shared, chat, hasLimits: false, version: '0', node: `ws://${this.#name}/ws` },
      authenticate: async (token) => ({ viewer: this.#viewerOf(token), expiresMs: Number.POSITIVE_INFINITY }),
      endedOf: async (ids) => ids.filter((id) => !memory.sessions.has(id)),
      afterTurn: (run) => scheduler.at(0, machine, run),
    });
    if (machine.isAlive && machine === this.machine) this.#running = { chat, gateway };
  }

  #viewerOf(token: string): Viewer {
    const [, claims = ''] = token.split('.');
    const { sessionId } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sessionId: string };
    const accountId = this.#world.memory.sessions.get(sessionId);
    if (accountId === undefined) throw new AppError('token-invalid');
    return { accountId, sessionId, role: 'user' };
  }

  crash(): void {
    this.machine.isAlive = false;
    this.#running = undefined;
    this.#world.network.crashed(this.machine);
    this.#world.bus.crashed(this.machine);
  }

  /** A socket has come in. It ends at once while nobody listens yet. */
  accept(side: Side, { accountId }: Browser): void {
    const gateway = this.#running?.gateway;
    if (!gateway) {
      side.close(1006);
      return;
    }
    const connection = gateway.connect(`10.0.0.${accountId}`, undefined);
    side.events = {
      data: (data) => connection.received(data),
      closed: (code) => connection.closed(code),
    };
    connection.opened({
      send: (text) => {
        side.send(text);
        return side.isOpen ? text.length : 0;
      },
      getBufferedAmount: () => 0,
      close: (code, reason) => side.close(code, reason),
      terminate: () => side.close(1006),
    });
  }

  /** As HTTP does: rejects with the problem document. */
  async answer(endpoint: AnyEndpoint, sent: Parts, viewer: Viewer): Promise<unknown> {
    const chat = this.#running?.chat;
    try {
      if (!chat) throw new AppError('shutting-down');
      const route = chatRoutes(chat).find((each) => each.endpoint === endpoint);
      if (!route) throw new AppError('not-found');
      const parts = {
        params: endpoint.params?.parse(sent.params),
        query: endpoint.query?.parse(sent.query ?? {}),
        body: endpoint.body?.parse(sent.body),
      };
      const request = { signal: new AbortController().signal, idempotency: undefined, address: '', log };
      return await route.handle(
        { ...parts, request } as unknown as Parameters<typeof route.handle>[0],
        viewer,
      );
    } catch (error) {
      throw problemOf(error);
    }
  }
}

function userOf(id: string): User {
  return { id, username: `user${id}`, displayName: `User ${id}`, avatarUrl: null };
}

function problemOf(error: unknown): Problem {
  // A bug: it must end the run.
  if (!(error instanceof AppError)) throw error;
  return problemDocument(error);
}
