import type { ChatSocket, SocketEvents } from '@hvideo/client';
import { MemoryConversationStore } from '../../../src/adapters/memory/chat/conversation-store.ts';
import { MemoryChat } from '../../../src/adapters/memory/chat/state.ts';
import type { StoredMessage } from '../../../src/ports/message-store/port.ts';
import { RunRecord } from '../../support/chat-device-record.ts';
import { ChatHistory, type DeviceView } from '../../support/chat-history.ts';
import { SimulatedBus } from './bus.ts';
import { SimulatedDatabase } from './database.ts';
import type { Faults } from './faults.ts';
import { Network } from './network.ts';
import { type NodeRole, type NodeWorld, SimulatedNode } from './node.ts';
import { type Chance, Machine, Scheduler } from './scheduler.ts';
import { Browser, type Tab, type TabWorld } from './tab.ts';

const settleMs = 240_000;
const maxSettleSteps = 400_000;

export interface WorldShape {
  readonly people: number;
  /** What each of them does. */
  readonly nodes: readonly NodeRole[];
  readonly groups: number;
}

/** People with browsers and tabs, nodes, a database and a bus: the chat as it runs, but for time, network and disks. */
export class World implements NodeWorld, TabWorld {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly bus: SimulatedBus;
  readonly database: SimulatedDatabase;
  /** Whose events happen whoever dies. */
  readonly nobody = new Machine('nobody');
  readonly memory = new MemoryChat();
  readonly history = new ChatHistory();
  readonly faults: Faults;
  readonly nodes: SimulatedNode[] = [];
  readonly browsers: Browser[] = [];
  readonly runs: { readonly tab: Tab; readonly record: RunRecord }[] = [];
  /** Errors that nobody expects. */
  readonly bugs: string[] = [];
  readonly #chance: Chance;
  readonly #conversations = new Map<string, string[]>();
  #nextId = 1_000n;
  #changedGroup: string | undefined;

  constructor(seed: number, shape: WorldShape, faults: Faults = {}) {
    this.faults = faults;
    this.scheduler = new Scheduler(seed);
    this.#chance = this.scheduler.random.fork();
    this.network = new Network(this.scheduler);
    this.bus = new SimulatedBus(this.scheduler, this.network);
    this.database = new SimulatedDatabase(this.scheduler, this.network);
    for (const [at, role] of shape.nodes.entries())
      this.nodes.push(new SimulatedNode(this, `node${at}`, role));
    for (let at = 1; at <= shape.people; at++) this.#addPerson(String(at));
  }

  /** Ids grow over the whole run, whatever the clocks of the nodes say. */
  nextId(): string {
    return String(this.#nextId++);
  }

  #addPerson(accountId: string): void {
    this.memory.accounts.add(accountId);
    this.#conversations.set(accountId, []);
    for (let at = 0; at < (this.#chance.once(2) ? 2 : 1); at++) {
      const sessionId = `${accountId}${at}`;
      this.memory.sessions.set(sessionId, accountId);
      this.browsers.push(new Browser(this, accountId, sessionId, `${accountId}${'ab'[at]}`));
    }
  }

  /** Each person with the next one, and groups of all. */
  async begin({ groups, people }: WorldShape): Promise<void> {
    const store = new MemoryConversationStore(this.memory);
    const everybody = Array.from({ length: people }, (_, at) => String(at + 1));
    for (let at = 0; at < people - 1; at++) await this.#create(store, 'direct', everybody.slice(at, at + 2));
    for (let at = 0; at < groups; at++) await this.#create(store, 'group', everybody);
    for (const node of this.nodes) node.start();
    this.scheduler.pass(1_000);
    for (const browser of this.browsers) this.open(browser);
  }

  async #create(
    store: MemoryConversationStore,
    type: 'direct' | 'group',
    [actorId = '', ...memberIds]: string[],
  ): Promise<void> {
    const { conversationId } = await store.create({
      ...{ id: this.nextId(), messageId: this.nextId(), nowMs: 0, actorId, type, memberIds },
      title: type === 'group' ? 'all' : null,
    });
    for (const id of [actorId, ...memberIds]) this.#conversations.get(id)?.push(conversationId);
  }

  open(browser: Browser): void {
    const tab = browser.open();
    this.runs.push({ tab, record: tab.record });
  }

  recordOf(tab: Tab): RunRecord {
    const { accountId } = tab.browser;
    return new RunRecord({
      ...{ name: tab.machine.name, accountId, history: this.history },
      conversationIds: this.conversationsOf(accountId),
      headOf: (id) => this.memory.conversations.get(id)?.messages.length ?? 0,
    });
  }

  conversationsOf(accountId: string): string[] {
    return this.#conversations.get(accountId) ?? [];
  }

  isMember(conversationId: string, accountId: string): boolean {
    return this.memory.conversations.get(conversationId)?.members.has(accountId) ?? false;
  }

  memberChanges(conversationId: string): void {
    this.#changedGroup = conversationId;
  }

  /** Some node that is there, as a load balancer finds it. */
  pickNode(): SimulatedNode | undefined {
    const alive = this.nodes.filter(({ machine, role }) => machine.isAlive && role !== 'chat');
    return alive.length > 0 ? this.#chance.pick(alive) : undefined;
  }

  /** Whose members change during the run. */
  get lastGroup(): string {
    return this.conversationsOf('1').at(-1) ?? '';
  }

  nameFor(tab: Tab, chance: Chance): string {
    if (this.faults.swallowedReset) return `${tab.browser.name}-${tab.browser.namesMade++}`;
    return Buffer.from(chance.bytes(12)).toString('hex');
  }

  openSocket(tab: Tab, url: string, events: SocketEvents): ChatSocket {
    const node = this.nodes.find(({ machine }) => url.includes(machine.name)) ?? this.pickNode();
    const { machine } = tab;
    if (!node?.machine.isAlive) {
      this.scheduler.at(this.network.delayMs(), machine, () => events.onClose(1006, ''));
      return { send: () => {}, close: () => {} };
    }
    const { client, server } = this.network.connect(machine, node.machine);
    client.events = {
      data: (data) => events.onMessage(data),
      closed: (code, reason) => events.onClose(code, reason),
    };
    this.network.deliver(machine, node.machine, () => {
      node.accept(server, tab.browser);
      this.network.deliver(node.machine, machine, () => client.isOpen && events.onOpen());
    });
    return {
      send: (data) => client.send(data),
      close: (code, reason) => client.close(code, reason),
    };
  }

  /** Everything comes up, the weather is fine, nobody does anything: what was promised must be there then. */
  settle(): string[] {
    Object.assign(this.network.weather, {
      typicalMs: 20,
      breaksOncePer: 0,
      losesOncePer: 0,
      repeatsOncePer: 0,
    });
    this.network.heal();
    for (const node of this.nodes) if (!node.machine.isAlive) node.start();
    this.scheduler.pass(settleMs, maxSettleSteps);
    return this.violations();
  }

  violations(): string[] {
    const stored = new Map<string, readonly StoredMessage[]>(
      [...this.memory.conversations].map(([id, { messages }]) => [id, messages]),
    );
    const views: DeviceView[] = [];
    const unsettled: string[] = [];
    for (const { tab, record } of this.runs) {
      views.push(...record.views());
      if (!tab.machine.isAlive) continue;
      const { pending, phase } = tab.chat.status.snapshot();
      if (pending > 0 || (phase !== 'online' && phase !== 'polling'))
        unsettled.push(`${tab.machine.name} is ${phase} with ${pending} unsent`);
      const earlier = this.runs.filter((run) => run.tab !== tab).map((run) => run.record);
      // What somebody should have who was out for a while depends on when exactly that was.
      const settled = record.settledViews(tab.chat, earlier);
      views.push(...settled.filter(({ conversationId }) => conversationId !== this.#changedGroup));
    }
    for (const { tab } of this.runs) if (tab.machine.isAlive) unsettled.push(...this.#faultsOnScreen(tab));
    return [...this.bugs, ...unsettled, ...this.history.violations(stored, views)];
  }

  /** What is looked at ends with the newest message, and has no holes. */
  #faultsOnScreen({ chat, machine, watched }: Tab): string[] {
    const head = this.memory.conversations.get(watched)?.messages.length ?? 0;
    if (watched === this.#changedGroup) return [];
    const { messages, isLoaded, hasNewer } = chat.conversation(watched).snapshot();
    const seqs = messages.map(({ seq }) => seq).filter((seq) => seq !== null);
    if (!isLoaded || hasNewer) return [`${machine.name} did not load ${watched}`];
    const first = seqs[0] ?? 1;
    const isWhole = seqs.every((seq, at) => seq === first + at) && first + seqs.length - 1 === head;
    return isWhole ? [] : [`${machine.name} shows ${seqs.join(' ')} of ${head} in ${watched}`];
  }
}
