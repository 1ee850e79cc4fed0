import type { ChatMark } from '@hvideo/protocol';
import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import { Occasionally } from '../../../kernel/occasionally.ts';
import type { Bus } from '../../../ports/bus/port.ts';
import type { StoredEvent } from '../../../ports/conversation-store/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import { MAX_ACCOUNTS, type RouteTable } from '../../../ports/route-table/port.ts';
import type { Members } from './members.ts';
import { MARKS_UP_TO_MEMBERS } from './types.ts';
import { emptyLoad, encode, type Load, parts, type Takeover, topicOf } from './wire.ts';

export interface OutboundDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly bus: Bus;
  readonly routes: RouteTable;
  readonly members: Members;
  readonly nodeName: string;
  /** The nodes that are heard of. */
  readonly peers: () => Iterable<string>;
}

interface Target {
  readonly series: number;
  number: number;
  events: number;
  lastMs: number;
}

/** Beyond that the oldest are not sent; their recipients find out by the numbers. */
const maxQueued = 20_000;
/** A position is told again for so long after the last parcel. */
const beaconForMs = 30_000;
const forgetAfterMs = 120_000;

/**
 * What other nodes have to hear: gathered while the one before is on its way, one parcel for each node that holds anybody
 * concerned. Each parcel has a number; one that cannot be sent, or for which it is not known who should get it, uses up its number
 * all the same, so that its recipients notice that they have missed something and read it from the store.
 */
export class Outbound {
  readonly #deps: OutboundDeps;
  readonly #says: Occasionally;
  readonly #targets = new Map<string, Target>();
  #queued: Load = emptyLoad();
  #isSending = false;
  #series = 0;
  #lost = false;
  /** Parcels, since the start. */
  sent = 0;
  failed = 0;

  constructor(deps: OutboundDeps) {
    this.#deps = deps;
    this.#says = new Occasionally(deps.clock);
  }

  messages(messages: readonly StoredMessage[]): void {
    if (this.#deps.routes.isAlone) return;
    if (this.#queued.messages.length + messages.length > maxQueued) this.#lost = true;
    else for (const message of messages) this.#queued.messages.push(message);
    this.#start();
  }

  events(events: readonly StoredEvent[]): void {
    this.#small('events', events);
  }

  marks(marks: readonly ChatMark[]): void {
    this.#small('marks', marks);
  }

  takeovers(takeovers: readonly Takeover[]): void {
    this.#small('takeovers', takeovers);
  }

  #small<Kind extends 'events' | 'marks' | 'takeovers'>(
    kind: Kind,
    items: readonly Load[Kind][number][],
  ): void {
    if (this.#deps.routes.isAlone) return;
    const queue = this.#queued[kind] as unknown[];
    if (queue.length + items.length > maxQueued) this.#lost = true;
    else queue.push(...items);
    this.#start();
  }

  /** To whom something was sent lately: how far they should have come. */
  beacon(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [name, target] of this.#targets) {
      if (nowMs - target.lastMs > forgetAfterMs) this.#targets.delete(name);
      else if (nowMs - target.lastMs <= beaconForMs) this.#publish(name, target, undefined);
    }
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#isSending) await this.#deps.clock.sleep(5);
  }

  #start(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    void this.#send();
  }

  async #send(): Promise<void> {
    try {
      for (;;) {
        const load = this.#queued;
        const isEmpty =
          load.messages.length + load.events.length + load.marks.length + load.takeovers.length === 0;
        if (isEmpty && !this.#lost) return;
        this.#queued = emptyLoad();
        try {
          if (this.#lost) throw new Error('too much waits to be sent');
          for (const [name, own] of await this.#route(load)) this.#sendTo(name, own);
        } catch (error) {
          this.#lost = false;
          this.#skip();
          this.#says.say('route', (times) =>
            this.#deps.log.warn(
              { err: error, times },
              'other nodes were not told, and will look by themselves',
            ),
          );
        }
      }
    } finally {
      this.#isSending = false;
    }
  }

  async #route(load: Load): Promise<Map<string, Load>> {
    const { members, routes } = this.#deps;
    const conversationIds = new Set<string>();
    for (const { conversationId } of load.messages) conversationIds.add(conversationId);
    for (const { conversationId } of load.marks) conversationIds.add(conversationId);
    const known = members.of([...conversationIds]);
    const found = known instanceof Promise ? await known : known;
    const accounts = new Set<string>();
    for (const ids of found.values()) for (const id of ids) accounts.add(id);
    for (const { accountId } of load.events) accounts.add(accountId);
    for (const { accountId } of load.takeovers) accounts.add(accountId);
    const nodesOf = await this.#nodesOf([...accounts], routes);
    const loads = new Map<string, Load>();
    const loadOf = (name: string) => {
      const own = loads.get(name) ?? emptyLoad();
      loads.set(name, own);
      return own;
    };
    const nodesOfAll = new Map<string, Set<string>>();
    for (const [conversationId, ids] of found)
      nodesOfAll.set(conversationId, new Set(ids.flatMap((id) => nodesOf.get(id) ?? [])));
    for (const message of load.messages)
      for (const name of nodesOfAll.get(message.conversationId) ?? []) loadOf(name).messages.push(message);
    for (const mark of load.marks) {
      if ((found.get(mark.conversationId)?.length ?? 0) > MARKS_UP_TO_MEMBERS) continue;
      for (const name of nodesOfAll.get(mark.conversationId) ?? []) loadOf(name).marks.push(mark);
    }
    for (const event of load.events)
      for (const name of nodesOf.get(event.accountId) ?? []) loadOf(name).events.push(event);
    for (const takeover of load.takeovers)
      for (const name of nodesOf.get(takeover.accountId) ?? []) loadOf(name).takeovers.push(takeover);
    return loads;
  }

  async #nodesOf(accountIds: readonly string[], routes: RouteTable): Promise<Map<string, readonly string[]>> {
    const nodesOf = new Map<string, readonly string[]>();
    for (let from = 0; from < accountIds.length; from += MAX_ACCOUNTS) {
      const some = accountIds.slice(from, from + MAX_ACCOUNTS);
      const found = await routes.nodesOf(some);
      for (const [index, names] of found.entries()) if (names.length > 0) nodesOf.set(some[index]!, names);
    }
    return nodesOf;
  }

  #sendTo(name: string, load: Load): void {
    const target = this.#targetOf(name);
    for (const part of parts(load)) {
      target.number += 1;
      if (part.events.length + part.marks.length + part.takeovers.length > 0) target.events += 1;
      this.#publish(name, target, part);
    }
  }

  /** Whoever might be concerned finds a number missing. */
  #skip(): void {
    for (const name of new Set([...this.#targets.keys(), ...this.#deps.peers()])) {
      const target = this.#targetOf(name);
      target.number += 1;
      target.events += 1;
    }
  }

  #targetOf(name: string): Target {
    let target = this.#targets.get(name);
    if (!target) {
      this.#series += 1;
      target = { series: this.#series, number: 0, events: 0, lastMs: 0 };
      this.#targets.set(name, target);
    }
    target.lastMs = this.#deps.clock.monotonicMs();
    return target;
  }

  #publish(name: string, { series, number, events }: Target, load: Load | undefined): void {
    const { bus, log, nodeName: from } = this.#deps;
    this.sent += 1;
    const parcel = encode({ from, series, number, events, ...(load && { load }) });
    bus.publish(topicOf(name), parcel).catch((error: unknown) => {
      this.failed += 1;
      this.#says.say('publish', (times) =>
        log.warn({ err: error, times }, 'a node was not told of what is new'),
      );
    });
  }
}
