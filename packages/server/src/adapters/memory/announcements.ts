import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import { assertAnnouncements, Followers, unlessAborted } from '../../ports/announcements/followers.ts';
import {
  type Announcement,
  type AnnouncementOptions,
  type Announcements,
  type Follower,
  MIN_RECORDS,
} from '../../ports/announcements/port.ts';

/** The log of one process; several nodes on it are for tests. */
export class MemoryLog {
  readonly #nodes: MemoryAnnouncements[] = [];

  add(node: MemoryAnnouncements): void {
    this.#nodes.push(node);
  }

  announce(records: readonly Announcement[]): void {
    for (const node of this.#nodes) node.tell(records);
  }

  /** As if the log had been lost. */
  lose(): void {
    for (const node of this.#nodes) node.forget();
  }
}

/** Announcements within one process: followers hear at once, so that there is nothing to catch up with. */
export class MemoryAnnouncements implements Announcements {
  readonly #log: MemoryLog;
  readonly #followers = new Followers();
  /** Nothing was missed since the last reset. */
  #isCurrent = false;
  #resetting: Promise<void> | undefined;
  /** What is announced during a reset; undefined: there is none, or it has to be repeated. */
  #meanwhile: Announcement[] | undefined;

  constructor(log = new MemoryLog()) {
    this.#log = log;
    log.add(this);
  }

  follow(kind: string, follower: Follower): void {
    this.#followers.add(kind, follower);
  }

  async announce(records: readonly Announcement[], { signal }: AnnouncementOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    assertAnnouncements(records);
    this.#log.announce(records);
  }

  catchUp(options?: AnnouncementOptions): MaybePromise<void> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return this.#isCurrent ? undefined : unlessAborted(this.#reset(), signal);
  }

  async beginAnew({ signal }: AnnouncementOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    this.#log.lose();
  }

  tell(records: readonly Announcement[]): void {
    if (this.#isCurrent) this.#followers.hear(records);
    else if (this.#meanwhile) {
      this.#meanwhile.push(...records);
      if (this.#meanwhile.length > MIN_RECORDS) this.#meanwhile = undefined;
    }
  }

  forget(): void {
    this.#isCurrent = false;
    this.#meanwhile = undefined;
  }

  #reset(): Promise<void> {
    this.#resetting ??= this.#resetAll().finally(() => {
      this.#resetting = undefined;
    });
    return this.#resetting;
  }

  async #resetAll(): Promise<void> {
    while (!this.#isCurrent) {
      const meanwhile: Announcement[] = [];
      this.#meanwhile = meanwhile;
      try {
        await this.#followers.reset();
      } catch (error) {
        this.#meanwhile = undefined;
        throw error;
      }
      // Something was lost meanwhile, or it was more than fits: once more.
      if (this.#meanwhile !== meanwhile) continue;
      this.#meanwhile = undefined;
      this.#isCurrent = true;
      this.#followers.hear(meanwhile);
    }
  }
}
