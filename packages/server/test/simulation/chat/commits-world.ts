import pino from 'pino';
import { MemoryConversationStore } from '../../../src/adapters/memory/chat/conversation-store.ts';
import { MemoryMessageStore } from '../../../src/adapters/memory/chat/message-store.ts';
import { MemoryChat } from '../../../src/adapters/memory/chat/state.ts';
import {
  type Commits,
  Committer,
  type Draft,
  Owner,
  type Receipt,
  RemoteCommitter,
} from '../../../src/features/chat/commit/index.ts';
import type { RemoteCommitterOptions } from '../../../src/features/chat/commit/remote/options.ts';
import type { AppError } from '../../../src/kernel/errors.ts';
import type { Bus } from '../../../src/ports/bus/port.ts';
import type { StoredMessage } from '../../../src/ports/message-store/port.ts';
import { SimulatedBus } from './bus.ts';
import { SimulatedDatabase } from './database.ts';
import { Network } from './network.ts';
import { Machine, Scheduler } from './scheduler.ts';

const log = pino({ level: process.env.HVIDEO_TEST_LOG ?? 'silent' });

/** What became of a send: everything that its listener was told. */
export interface Sent {
  readonly draft: Draft;
  readonly outcomes: (Receipt | AppError)[];
}

export interface Process {
  readonly machine: Machine;
  commits: Commits | undefined;
}

/** Processes that hand over what is said, and others that commit it, on a simulated bus, clock and database. */
export class CommitsWorld {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly bus: SimulatedBus;
  readonly database: SimulatedDatabase;
  readonly memory = new MemoryChat();
  readonly sent: Sent[] = [];
  /** By topic, since the start. */
  readonly published = new Map<string, number>();
  publishedBytes = 0;
  #nextId = 1_000n;
  #processes = 0;

  constructor(seed: number) {
    this.scheduler = new Scheduler(seed);
    this.network = new Network(this.scheduler);
    this.bus = new SimulatedBus(this.scheduler, this.network);
    this.database = new SimulatedDatabase(this.scheduler, this.network);
    for (const id of ['1', '2']) this.memory.accounts.add(id);
  }

  async conversations(count: number): Promise<string[]> {
    const store = new MemoryConversationStore(this.memory);
    const found: string[] = [];
    for (let at = 0; at < count; at++) {
      const draft = { actorId: '1', type: 'group' as const, memberIds: ['2'], title: 'all', nowMs: 0 };
      const ids = { id: String(this.#nextId++), messageId: String(this.#nextId++) };
      found.push((await store.create({ ...draft, ...ids })).conversationId);
    }
    return found;
  }

  owner(): Process {
    const { machine, shared } = this.#begin('owner');
    const committer = new Committer({
      ...shared,
      messages: this.database.through(machine, new MemoryMessageStore(this.memory)),
      ids: { next: () => String(this.#nextId++) },
      onCommitted: () => {},
      onUnknown: () => {},
    });
    return this.#opened(machine, Owner.open(shared, committer));
  }

  asker(options: Partial<RemoteCommitterOptions> = {}): Process {
    const { machine, shared } = this.#begin('asker');
    return this.#opened(machine, RemoteCommitter.open({ ...shared, onUnknown: () => {} }, options));
  }

  #begin(kind: string) {
    this.#processes += 1;
    const machine = new Machine(`${kind}${this.#processes}`);
    const shared = {
      ...{ clock: this.scheduler.clockOf(machine), random: this.scheduler.random.fork(), log },
      ...{ bus: this.#counted(this.bus.busOf(machine)), nodeName: machine.name },
    };
    return { machine, shared };
  }

  #opened(machine: Machine, opening: Promise<Commits>): Process {
    const process: Process = { machine, commits: undefined };
    void opening.then((commits) => {
      process.commits = commits;
    });
    return process;
  }

  #counted(bus: Bus): Bus {
    return {
      subscribe: (topic, handler) => bus.subscribe(topic, handler),
      publish: (topic, message) => {
        this.published.set(topic, (this.published.get(topic) ?? 0) + 1);
        this.publishedBytes += message.byteLength;
        return bus.publish(topic, message);
      },
    };
  }

  crash(process: Process): void {
    process.machine.isAlive = false;
    this.bus.crashed(process.machine);
  }

  submit({ commits }: Process, draft: Draft): Sent {
    const sent: Sent = { draft, outcomes: [] };
    this.sent.push(sent);
    commits?.submit(draft, {
      stored: (receipt) => sent.outcomes.push(receipt),
      refused: (error) => sent.outcomes.push(error),
    });
    return sent;
  }

  stored(conversationId: string): readonly StoredMessage[] {
    return this.memory.conversations.get(conversationId)?.messages ?? [];
  }
}
