import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type {
  Announcement,
  AnnouncementOptions,
  Announcements,
  Follower,
} from '../../ports/announcements/port.ts';

const maxRemembered = 10_000;

/**
 * Announcements that remember what this process has announced lately, of some kinds: so that whoever follows the truth and
 * announces what others could not need not repeat the rest.
 */
export class AnnouncedLately implements Announcements {
  readonly #announcements: Announcements;
  readonly #kinds: ReadonlySet<string>;
  /** Oldest first. */
  readonly #lately = new Set<string>();

  constructor(announcements: Announcements, kinds: readonly string[]) {
    this.#announcements = announcements;
    this.#kinds = new Set(kinds);
  }

  follow(kind: string, follower: Follower): void {
    this.#announcements.follow(kind, follower);
  }

  async announce(records: readonly Announcement[], options?: AnnouncementOptions): Promise<void> {
    await this.#announcements.announce(records, options);
    for (const record of records) if (this.#kinds.has(record.kind)) this.#remember(nameOf(record));
  }

  catchUp(options?: AnnouncementOptions): MaybePromise<void> {
    return this.#announcements.catchUp(options);
  }

  beginAnew(options?: AnnouncementOptions): Promise<void> {
    return this.#announcements.beginAnew(options);
  }

  /** Those that this process has not announced, or so long ago that it does not know. */
  unannounced(records: readonly Announcement[]): Announcement[] {
    return records.filter((record) => !this.#lately.has(nameOf(record)));
  }

  #remember(name: string): void {
    this.#lately.delete(name);
    this.#lately.add(name);
    if (this.#lately.size <= maxRemembered) return;
    for (const oldest of this.#lately) {
      this.#lately.delete(oldest);
      break;
    }
  }
}

const nameOf = ({ kind, text }: Announcement) => `${kind} ${text}`;
