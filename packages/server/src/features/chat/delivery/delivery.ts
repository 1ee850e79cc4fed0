import type { ChatMark } from '@hvideo/protocol';
import type { StoredEvent } from '../../../ports/conversation-store/port.ts';
import type { Device } from '../../../ports/device-store/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import { AttachedDevices } from './attached-devices.ts';
import type { Downlink } from './downlink.ts';
import { Feeds } from './feeds.ts';
import { Inbound } from './inbound.ts';
import { Lately } from './lately.ts';
import { Members } from './members.ts';
import { Outbound } from './outbound.ts';
import { Presence } from './presence.ts';
import { Puller } from './puller.ts';
import { Rereading } from './rereading.ts';
import { Suspects, type Suspicion } from './suspects.ts';
import { Telling } from './telling.ts';
import type { Attachment, DeliveryDeps, DownlinkListener } from './types.ts';
import type { Load } from './wire.ts';

const tickMs = 1_000;
const renewEveryTicks = 10;
/** All feeds are compared with their heads in so many seconds, for what nothing else has brought to light. */
const sweepSeconds = 120;
/** While the bus is silent, which then is the only way in which anything becomes known. */
const sweepAtOnceWithoutBus = 5_000;

/**
 * Brings what was committed to the devices that are there: to those of this node in the turn of the commit, to others by way of
 * their nodes. What is heard may be lost at every point; what is missing is found by numbers and heads, and read from the store.
 */
export class Delivery implements AsyncDisposable {
  readonly #deps: DeliveryDeps;
  readonly #ending = new AbortController();
  readonly #presence: Presence;
  readonly #feeds: Feeds;
  readonly #members: Members;
  readonly #puller: Puller;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #lately: Lately;
  readonly #devices: AttachedDevices;
  readonly #telling: Telling;
  readonly #rereading: Rereading;
  readonly #behind = new Set<Downlink>();
  readonly #stats = { deliveries: 0, gaps: 0 };
  readonly #suspects = new Suspects();
  #timer: Disposable | undefined;
  #ticks = 0;
  #isTicking = false;

  private constructor(deps: DeliveryDeps) {
    const { bus, clock, log, nodeName, routes } = deps;
    this.#deps = deps;
    const { signal } = this.#ending;
    this.#presence = new Presence({
      ...{ clock, log, routes },
      registered: (accountIds, isLate) => this.#registered(accountIds, isLate),
    });
    this.#feeds = new Feeds(deps, signal);
    this.#members = new Members(clock, deps.conversations);
    this.#puller = new Puller(deps, signal);
    this.#lately = new Lately(clock, deps.checkpoints);
    this.#outbound = new Outbound({
      ...{ clock, log, bus, routes, nodeName },
      members: this.#members,
      peers: () => this.#inbound.names(),
    });
    this.#inbound = new Inbound({
      ...{ clock, bus, nodeName, address: deps.address },
      load: (load) => this.#take(load),
      changed: (ids) => this.#members.forget(ids),
      suspected: (suspicions) => this.#suspects.heard(suspicions),
      missed: (what) => this.#missed(what),
    });
    this.#devices = new AttachedDevices({
      ...{ clock, random: deps.random, presence: this.#presence, outbound: this.#outbound },
      attached: {
        ...{ log, conversations: deps.conversations, devices: deps.devices },
        ...{ feeds: this.#feeds, lately: this.#lately },
      },
      downlink: {
        ...{ checkpoints: this.#lately, puller: this.#puller, behind: this.#behind, stats: this.#stats },
      },
    });
    const devices = this.#devices;
    this.#telling = new Telling({ log, members: this.#members, presence: this.#presence, devices });
    this.#rereading = new Rereading({ clock, log, devices }, signal);
  }

  static async open(deps: DeliveryDeps): Promise<Delivery> {
    const delivery = new Delivery(deps);
    if (!deps.routes.isAlone) await delivery.#inbound.start();
    delivery.#timer = deps.clock.every(tickMs, () => delivery.#tick());
    return delivery;
  }

  /** New messages, those of a conversation in the order of their seqs. Must not fail. */
  committed(messages: readonly StoredMessage[]): void {
    if (messages.length === 0) return;
    this.#feeds.accept(messages);
    this.#outbound.messages(messages);
    this.#telling.wakeMembers(messages);
  }

  events(events: readonly StoredEvent[]): void {
    const changed = changedBy(events);
    this.#members.forget(changed);
    if (changed.length > 0 && !this.#deps.routes.isAlone) this.#inbound.hello({ changed });
    this.#telling.events(events);
    this.#outbound.events(events);
  }

  mark(mark: ChatMark): void {
    this.#telling.mark(mark);
    this.#outbound.marks([mark]);
  }

  /** These may hold something that nobody told, such as a commit of a node that died: all nodes look at them within two seconds. */
  suspect(conversationIds: readonly string[]): void {
    this.#suspects.add(conversationIds.map((conversationId) => ({ conversationId })));
  }

  /** As `suspect`, where it is not known whether these came into it or left it. */
  suspectMembers(conversationId: string, accountIds: readonly string[]): void {
    this.#suspects.add([{ conversationId, accountIds }]);
  }

  /** An older connection of the device is displaced, here at once, on other nodes when they hear of it. */
  attach(device: Device, listener: DownlinkListener): Attachment {
    return this.#devices.attach(device, listener);
  }

  /** Resolves when there may be something new for the account, from the call on; by an abort as well. */
  async waitForNews(accountId: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _waiting = this.#presence.wait(accountId, resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
    // What was said before other nodes knew of this one is asked for once more.
    this.#presence.registered(accountId)?.then(resolve, resolve);
    await promise;
  }

  /** Those of this node that get the messages of a conversation by themselves. */
  presentDevices(conversationId: string): Device[] {
    const readers = this.#feeds.get(conversationId)?.readers ?? [];
    return readers.map(({ device }) => device);
  }

  /** Addresses of other nodes that take connections. */
  alternatives(): string[] {
    return this.#inbound.alternatives();
  }

  get stats() {
    return {
      ...this.#stats,
      devices: this.#devices.size,
      behind: this.#behind.size,
      feeds: this.#feeds.size,
      pulled: this.#puller.pulled,
      repaired: this.#feeds.repaired,
      misses: this.#inbound.misses,
      parcels: this.#outbound.sent,
      parcelsFailed: this.#outbound.failed,
    };
  }

  /** Other nodes are told that this one takes no more connections. */
  leave(): void {
    if (!this.#deps.routes.isAlone) this.#inbound.leave();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    for (const attached of this.#devices.all()) attached.detach();
    await this.#outbound.drain();
    this.#ending.abort(new DOMException('The node ends', 'AbortError'));
    this.#feeds[Symbol.dispose]();
    this.#presence.wakeAll();
    await this.#inbound[Symbol.asyncDispose]();
  }

  #take({ messages, events, marks, takeovers }: Load): void {
    if (messages.length > 0) {
      this.#feeds.accept(messages);
      this.#telling.wakeMembers(messages);
      this.#deps.heard?.(messages);
    }
    if (events.length > 0) {
      this.#members.forget(changedBy(events));
      this.#telling.events(events);
    }
    for (const mark of marks) this.#telling.mark(mark);
    for (const takeover of takeovers) this.#devices.giveWay(takeover);
  }

  #registered(accountIds: readonly string[], isLate: boolean): void {
    this.#devices.found(accountIds);
    if (isLate) this.#missed('everything');
  }

  #missed(what: 'messages' | 'everything'): void {
    this.#feeds.compareAll();
    if (what === 'messages') return;
    this.#presence.wakeAll();
    this.#rereading.ask();
  }

  async #tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#ticks += 1;
    try {
      for (const downlink of [...this.#behind]) if (!downlink.remind()) this.#behind.delete(downlink);
      this.#lately.clean();
      await this.#tickTogether();
    } catch (error) {
      // What it does is done again in the next turn.
      if (!this.#ending.signal.aborted) this.#deps.log.debug({ err: error }, 'a turn of the delivery failed');
    } finally {
      this.#isTicking = false;
    }
  }

  async #look(suspicions: readonly Required<Suspicion>[]): Promise<void> {
    for (const { conversationId, accountIds } of suspicions) {
      if (accountIds.length === 0) continue;
      this.#members.forget([conversationId]);
      this.#telling.unsure(conversationId, accountIds);
    }
    await this.#feeds.compare(suspicions.map(({ conversationId }) => conversationId));
  }

  async #tickTogether(): Promise<void> {
    const { routes } = this.#deps;
    let isHeard = true;
    const suspected = this.#suspects.takeUntold();
    if (!routes.isAlone) {
      this.#outbound.beacon();
      this.#inbound.hello(suspected.length > 0 ? { suspected } : {});
      this.#inbound.forgetSilent();
      isHeard = this.#inbound.isReceiving;
    }
    await this.#suspects.turn((suspicions) => this.#look(suspicions));
    const fair = Math.ceil(this.#feeds.size / sweepSeconds);
    await this.#feeds.sweep(isHeard ? fair : Math.max(fair, sweepAtOnceWithoutBus));
    await this.#presence.clean();
    if (this.#ticks % renewEveryTicks === 0 && !(await this.#presence.renew())) this.#missed('everything');
  }
}

function changedBy(events: readonly StoredEvent[]): string[] {
  const changed = new Set<string>();
  for (const { conversationId, kind } of events) if (kind !== 'read') changed.add(conversationId);
  return [...changed];
}
