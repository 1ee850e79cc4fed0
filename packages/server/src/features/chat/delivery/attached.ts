import type { ChatEvent } from '@hvideo/protocol';
import { AppError } from '../../../kernel/errors.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { ConversationStore, Membership, StoredEvent } from '../../../ports/conversation-store/port.ts';
import type { Device, DeviceStore } from '../../../ports/device-store/port.ts';
import type { Downlink } from './downlink.ts';
import type { Feeds } from './feeds.ts';
import type { Lately } from './lately.ts';
import type { Presence } from './presence.ts';
import type { AckMode, Attachment } from './types.ts';
import type { Takeover } from './wire.ts';

export interface AttachedDeps {
  readonly log: Logger;
  readonly conversations: Pick<ConversationStore, 'memberships'>;
  readonly devices: Pick<DeviceStore, 'pending'>;
  readonly feeds: Feeds;
  readonly presence: Presence;
  readonly lately: Lately;
  readonly detached: (attached: Attached) => void;
}

/** A device that is connected here: how its feeds come to be, and end. */
export class Attached implements Attachment {
  readonly #downlink: Downlink;
  readonly #deps: AttachedDeps;
  readonly attachedMs: number;
  readonly #stampMs: number;
  readonly #chance: number;
  /** Counts openings and closings: what belongs to an earlier one does nothing any more. */
  #turn = 0;
  /** While it opens: conversations whose membership changed meanwhile. */
  #changed: Set<string> | undefined = undefined;

  constructor(
    downlink: Downlink,
    deps: AttachedDeps,
    when: { readonly stampMs: number; readonly chance: number; readonly attachedMs: number },
  ) {
    this.#downlink = downlink;
    this.#deps = deps;
    this.#stampMs = when.stampMs;
    this.#chance = when.chance;
    this.attachedMs = when.attachedMs;
  }

  get takeover(): Takeover {
    const { accountId, id: deviceId } = this.device;
    return { accountId, deviceId, stamp: [this.#stampMs, this.#chance] };
  }

  get device(): Device {
    return this.#downlink.device;
  }

  get unacknowledged(): number {
    return this.#downlink.unacknowledged;
  }

  get isBehind(): boolean {
    return this.#downlink.isBehind;
  }

  /**
   * First other nodes learn of it, then it reads its feeds, then what is pending is asked for, then it is let go: whatever is
   * said at any moment is either pending, or passes by in a feed.
   */
  async open(mode: AckMode): Promise<void> {
    this.close();
    const turn = this.#turn;
    const { conversations, devices, feeds, lately, presence } = this.#deps;
    const { accountId, id } = this.device;
    this.#downlink.mode = mode;
    this.#changed = new Set();
    // Where the table is not reached nobody waits for it: what goes elsewhere meanwhile is looked for when it was.
    await presence.registered(accountId)?.catch(() => undefined);
    await feeds.joining(
      () => conversations.memberships(accountId, 'all'),
      (memberships) => {
        if (turn === this.#turn)
          this.#downlink.feeds = memberships.map((each) => feeds.add(this.#downlink, each));
      },
    );
    if (turn !== this.#turn) return;
    const pending = await devices.pending(this.device);
    if (turn !== this.#turn) return;
    // It comes again as a new one.
    if (!pending) throw new AppError('not-found', { detail: 'The device gave way to others' });
    const own = new Set(this.#downlink.feeds);
    for (const { conversationId, cursorSeq, headSeq } of pending) {
      const feed = feeds.get(conversationId);
      if (!feed || !own.has(feed)) continue;
      feeds.expect(feed, headSeq);
      this.#downlink.begin(feed, Math.max(cursorSeq, lately.cursorOf(id, conversationId)));
    }
    this.#downlink.isOpen = true;
    this.#downlink.pump();
    const changed = this.#changed;
    this.#changed = undefined;
    if (changed) await this.#read([...changed]);
  }

  close(): void {
    this.#turn += 1;
    this.#changed = undefined;
    for (const feed of this.#downlink.close()) this.#deps.feeds.release(feed);
  }

  ack(conversationId: string, seq: number): void {
    this.#downlink.acknowledge(conversationId, seq);
  }

  pause(): void {
    this.#downlink.pause();
  }

  resume(): void {
    this.#downlink.resume();
  }

  detach(): void {
    if (this.#downlink.isDetached) return;
    this.#downlink.isDetached = true;
    this.close();
    this.#deps.presence.remove(this.#downlink);
    this.#deps.detached(this);
  }

  displace(): void {
    if (this.#downlink.isDetached) return;
    this.detach();
    this.#downlink.listener.displaced();
  }

  /** The account has come into a conversation, if it is still there; what is said from then on is for it. */
  join(conversationId: string): void {
    this.#changed?.add(conversationId);
    if (!this.#downlink.isOpen) return;
    this.#read([conversationId]).catch((error: unknown) => {
      this.#deps.log.warn(
        { err: error },
        'a new membership was not read; its messages come with the next connection',
      );
    });
  }

  /** As it was heard, or as the messages say: it may have come back since, and what is being read may be from before. */
  departed(conversationId: string): void {
    this.#leave(conversationId);
    this.join(conversationId);
  }

  #leave(conversationId: string): void {
    // What is being read may be from before: it is read again.
    this.#changed?.add(conversationId);
    const feed = this.#deps.feeds.get(conversationId);
    if (!feed || !this.#downlink.feeds.includes(feed)) return;
    this.#downlink.leave(feed);
    this.#deps.feeds.release(feed);
  }

  /** Compares what it reads with what it is a member of. */
  reread(): Promise<void> {
    return this.#downlink.isOpen ? this.#read('all') : Promise.resolve();
  }

  async #read(conversationIds: readonly string[] | 'all'): Promise<void> {
    const turn = this.#turn;
    const { conversations, feeds } = this.#deps;
    await feeds.joining(
      () => conversations.memberships(this.device.accountId, conversationIds),
      (memberships) => {
        if (turn !== this.#turn) return;
        const present = new Set(memberships.map((each) => each.conversationId));
        const own = new Set(this.#downlink.feeds.map((each) => each.conversationId));
        for (const id of conversationIds === 'all' ? own : conversationIds)
          if (!present.has(id)) this.#leave(id);
        for (const membership of memberships)
          if (!own.has(membership.conversationId)) this.#joinOne(membership);
        this.#downlink.pump();
      },
    );
  }

  #joinOne(membership: Membership): void {
    const feed = this.#deps.feeds.add(this.#downlink, membership);
    this.#downlink.feeds = [...this.#downlink.feeds, feed];
    this.#downlink.begin(feed, membership.joinedSeq);
  }
}

export function toChatEvent({ pts, kind, conversationId, seq }: StoredEvent): ChatEvent {
  return kind === 'read' ? { pts, kind, conversationId, seq: seq ?? 0 } : { pts, kind, conversationId };
}
