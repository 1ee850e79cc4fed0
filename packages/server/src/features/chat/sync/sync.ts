import type { ChatEvent, SyncAnswer } from '@hvideo/protocol';
import type { Clock } from '../../../kernel/clock.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { ConversationStore, DeliveredMark } from '../../../ports/conversation-store/port.ts';
import { MAX_EVENTS } from '../../../ports/conversation-store/port.ts';
import type { Cursor, Device, DeviceStore, PendingConversation } from '../../../ports/device-store/port.ts';
import type { MessageStore } from '../../../ports/message-store/port.ts';
import { toEvent } from '../presenting.ts';
import type { News, Told } from '../types.ts';
import type { Devices, Login } from './devices.ts';
import { readPending } from './pending-pages.ts';
import { WaitingPlaces } from './waiting.ts';

export interface SyncDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly messages: Pick<MessageStore, 'read'>;
  readonly conversations: Pick<ConversationStore, 'events' | 'markDelivered'>;
  readonly deviceStore: Pick<DeviceStore, 'pending' | 'checkpoint'>;
  readonly devices: Devices;
  readonly told: Pick<Told, 'mark'>;
  readonly news: News;
}

export interface SyncRequest {
  readonly instance?: string | undefined;
  readonly pts?: number | undefined;
  readonly acknowledged: readonly { readonly conversationId: string; readonly seq: number }[];
  readonly waitMs: number;
}

/**
 * A hint may be lost, or come while one is not yet known to wait: so whoever waits looks again by itself, soon at first. The
 * second is the longest that a message can be late when no hint comes.
 */
const looksAgainAfterMs = [1_000, 5_000] as const;

/** The second is new, and none of those that give way. */
const maxDevicesTried = 2;

/** What a device without a socket asks for: what is new since its cursors and its last event. */
export class Sync {
  readonly #deps: SyncDeps;
  readonly #places = new WaitingPlaces();
  readonly #draining = new AbortController();

  constructor(deps: SyncDeps) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#places.taken;
  }

  /**
   * At once when there is something, else when there is, or the time is over. An abort ends the wait. Errors: `token-invalid`
   * when the login has ended; `rate-limited`, `overloaded` when too many wait.
   */
  async sync(login: Login, request: SyncRequest, signal?: AbortSignal): Promise<SyncAnswer> {
    const { devices } = this.#deps;
    const instance = request.instance ?? '';
    for (let tries = 0; tries < maxDevicesTried; tries += 1) {
      const answer = await this.#syncAs(await devices.known(login, instance), request, signal);
      if (answer) return answer;
      devices.forget(login, instance);
    }
    throw new AppError('rate-limited', { detail: 'Too many devices', retryAfterSeconds: 10 });
  }

  /** Null: the device gave way to others since it was remembered here. */
  async #syncAs(device: Device, request: SyncRequest, signal?: AbortSignal): Promise<SyncAnswer | null> {
    if (request.waitMs === 0) return this.#answer(device, request, signal);
    using _place = this.#places.take(device.accountId);
    return await this.#waitForAnswer(device, request, signal);
  }

  /** Ends all waits: they are answered with what there is. */
  drain(): void {
    this.#draining.abort();
  }

  async #waitForAnswer(
    device: Device,
    request: SyncRequest,
    signal?: AbortSignal,
  ): Promise<SyncAnswer | null> {
    const { clock, log, news } = this.#deps;
    const endMs = clock.monotonicMs() + request.waitMs;
    let asked = request;
    for (let turn = 0; ; turn += 1) {
      const over = new AbortController();
      const all = [over.signal, this.#draining.signal, ...(signal ? [signal] : [])];
      const ends = AbortSignal.any(all);
      // Before looking, so that what comes between is not missed.
      const hint = news.waitForNews(device.accountId, ends).catch((error: unknown) => {
        if (!ends.aborted) log.warn({ err: error }, 'no hints of news: whoever waits looks by itself');
        return sleepUnless(clock, pauseMs(turn), ends);
      });
      try {
        const answer = await this.#answer(device, asked, signal);
        const leftMs = endMs - clock.monotonicMs();
        if (!answer || hasNews(answer) || leftMs <= 0 || this.#draining.signal.aborted) return answer;
        await Promise.race([hint, sleepUnless(clock, Math.min(leftMs, pauseMs(turn)), ends)]);
      } finally {
        over.abort();
      }
      signal?.throwIfAborted();
      asked = { ...request, acknowledged: [] };
    }
  }

  async #answer(device: Device, request: SyncRequest, signal?: AbortSignal): Promise<SyncAnswer | null> {
    const { deviceStore, messages } = this.#deps;
    // Events first: what a client reads anew after `tooLong` is not older than the number that it goes on from.
    const { events, pts, tooLong } = await this.#events(device, request.pts, signal);
    const pending = await deviceStore.pending(device, { signal });
    if (!pending) return null;
    const risen = risenBy(device, pending, request.acknowledged);
    await this.#keep(device, risen);
    const left = pending.flatMap((each) => {
      const cursorSeq = risen.get(each.conversationId)?.seq ?? each.cursorSeq;
      return cursorSeq < each.headSeq ? [{ ...each, cursorSeq }] : [];
    });
    const page = await readPending(messages, left, signal);
    return { deviceId: device.id, pts, tooLong, events, ...page };
  }

  async #events(
    device: Device,
    since: number | undefined,
    signal?: AbortSignal,
  ): Promise<{ events: ChatEvent[]; pts: number; tooLong: boolean }> {
    const page = await this.#deps.conversations.events(device.accountId, since ?? 0, MAX_EVENTS, { signal });
    if (device.isNew || since === undefined || page.tooLong)
      return { events: [], pts: page.pts, tooLong: true };
    return { events: page.events.map(toEvent), pts: page.pts, tooLong: false };
  }

  /** Durable before the answer, which may be followed by a sync on another node. */
  async #keep(device: Device, risen: ReadonlyMap<string, Cursor>): Promise<void> {
    if (risen.size === 0) return;
    const { clock, conversations, deviceStore, told } = this.#deps;
    const cursors = [...risen.values()];
    await deviceStore.checkpoint(cursors, clock.nowMs());
    const { accountId } = device;
    const marks = cursors.map(
      ({ conversationId, seq }): DeliveredMark => ({ accountId, conversationId, seq }),
    );
    for (const { conversationId, seq } of await conversations.markDelivered(marks))
      told.mark({ kind: 'mark', conversationId, accountId, readSeq: 0, deliveredSeq: seq });
  }
}

/** What is not pending is acknowledged already, or none of the account's business; nothing is acknowledged above the head. */
function risenBy(
  device: Device,
  pending: readonly PendingConversation[],
  acknowledged: SyncRequest['acknowledged'],
): Map<string, Cursor> {
  const behind = new Map(pending.map((each) => [each.conversationId, each]));
  const risen = new Map<string, Cursor>();
  for (const { conversationId, seq } of acknowledged) {
    const { cursorSeq = 0, headSeq = 0 } = behind.get(conversationId) ?? {};
    const to = Math.min(seq, headSeq);
    if (to > Math.max(cursorSeq, risen.get(conversationId)?.seq ?? 0))
      risen.set(conversationId, { deviceId: device.id, conversationId, seq: to });
  }
  return risen;
}

const hasNews = ({ tooLong, events, conversations, more }: SyncAnswer) =>
  tooLong || more || events.length > 0 || conversations.length > 0;

const pauseMs = (turn: number) => (turn === 0 ? looksAgainAfterMs[0] : looksAgainAfterMs[1]);

/** Resolves also when the signal is aborted. */
function sleepUnless(clock: Clock, ms: number, ends: AbortSignal): Promise<void> {
  return clock.sleep(ms, { signal: ends }).catch((error: unknown) => {
    if (!ends.aborted) throw error;
  });
}
