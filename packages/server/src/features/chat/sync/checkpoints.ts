import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { ConversationStore, DeliveredMark } from '../../../ports/conversation-store/port.ts';
import type { Cursor, DeviceStore } from '../../../ports/device-store/port.ts';
import type { Told } from '../types.ts';
import type { GroupSizes } from './group-sizes.ts';

export interface CheckpointsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly devices: Pick<DeviceStore, 'checkpoint'>;
  readonly conversations: Pick<ConversationStore, 'markDelivered'>;
  readonly sizes: Pick<GroupSizes, 'small'>;
  readonly told: Pick<Told, 'mark'>;
}

interface Entry extends Cursor {
  readonly accountId: string;
}

const everyMs = 1_000;
/** So many cursors do not wait for their time. */
const flushAt = 5_000;
const atOnce = 2_000;
/** While the store cannot be reached. What is beyond is lost, and its messages come again. */
const maxWaiting = 100_000;

/**
 * What devices have acknowledged, gathered: of many messages of one conversation a device costs one row, every second. A cursor
 * that is lost with the process costs messages that come twice. The delivered marks of their accounts rise with them, but in
 * large groups, where they would be as many as the messages.
 */
export class Checkpoints implements AsyncDisposable {
  readonly #deps: CheckpointsDeps;
  #waiting = new Map<string, Entry>();
  #flushing: Promise<void> | undefined;
  #timer: Disposable | undefined;
  /** Then it is tried every second, not with each acknowledgement. */
  #isFailing = false;
  #lost = 0;

  constructor(deps: CheckpointsDeps) {
    this.#deps = deps;
  }

  /** Everything up to there has arrived. */
  note(
    device: { readonly id: string; readonly accountId: string },
    conversationId: string,
    seq: number,
  ): void {
    this.#keep({ deviceId: device.id, accountId: device.accountId, conversationId, seq });
    const isDue = this.#waiting.size >= flushAt && !this.#flushing && !this.#isFailing;
    if (isDue) void this.flush();
    else this.#timer ??= this.#deps.clock.after(everyMs, () => void this.flush());
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Of cursors, since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Resolves when what was noted before is kept, or the store has failed: then it is tried again with the next. */
  async flush(): Promise<void> {
    while (this.#flushing) await this.#flushing;
    if (this.#waiting.size === 0) return;
    this.#flushing = this.#flush();
    try {
      await this.#flushing;
    } finally {
      this.#flushing = undefined;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }

  async #flush(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    const entries = [...this.#waiting.values()];
    this.#waiting = new Map();
    for (let at = 0; at < entries.length; at += atOnce) {
      try {
        await this.#write(entries.slice(at, at + atOnce));
        this.#isFailing = false;
      } catch (error) {
        const left = entries.slice(at);
        this.#deps.log.warn(
          { err: error, cursors: left.length },
          'cursors were not kept, and are tried again',
        );
        this.#isFailing = true;
        for (const entry of left) this.#keep(entry);
        this.#timer ??= this.#deps.clock.after(everyMs, () => void this.flush());
        return;
      }
    }
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    const { clock, conversations, devices, sizes, told } = this.#deps;
    await devices.checkpoint(entries, clock.nowMs());
    const small = await sizes.small(entries.map(({ conversationId }) => conversationId));
    const marks = highestOf(entries.filter(({ conversationId }) => small.has(conversationId)));
    if (marks.length === 0) return;
    for (const { accountId, conversationId, seq } of await conversations.markDelivered(marks))
      told.mark({ kind: 'mark', conversationId, accountId, readSeq: 0, deliveredSeq: seq });
  }

  #keep(entry: Entry): void {
    const key = `${entry.deviceId}:${entry.conversationId}`;
    const before = this.#waiting.get(key);
    if (before === undefined && this.#waiting.size >= maxWaiting) this.#lost += 1;
    else if (before === undefined || before.seq < entry.seq) this.#waiting.set(key, entry);
  }
}

/** Of each account and conversation one. */
function highestOf(entries: readonly Entry[]): DeliveredMark[] {
  const marks = new Map<string, DeliveredMark>();
  for (const { accountId, conversationId, seq } of entries) {
    const key = `${accountId}:${conversationId}`;
    if ((marks.get(key)?.seq ?? 0) < seq) marks.set(key, { accountId, conversationId, seq });
  }
  return [...marks.values()];
}
