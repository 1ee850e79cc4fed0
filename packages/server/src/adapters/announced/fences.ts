import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import { type MaybePromise, whenKnown } from '../../kernel/maybe-promise.ts';
import { type Announcements, MAX_ANNOUNCED } from '../../ports/announcements/port.ts';
import type { FenceOptions, Fences, LoadFences, ReadFences } from '../../ports/fences/port.ts';

/** Of the announcements that something was withdrawn; the text is the name. */
export const FENCE_KIND = 'fence';

export interface AnnouncedFencesOptions {
  readonly announcements: Announcements;
  /** All that may still be needed. */
  readonly load: LoadFences;
  /** Asked while the announcements cannot be reached. */
  readonly read: ReadFences;
  readonly clock: Clock;
  readonly log: Logger;
}

const keptMs = 3 * 86_400_000;

/** Fences that every node knows all of: they are announced, and kept in its memory. */
export class AnnouncedFences implements Fences {
  readonly #options: AnnouncedFencesOptions;
  heardTimes = 0;
  /** By when they were heard of, oldest first. */
  #names = new Map<string, number>();
  #asking: Promise<ReadonlySet<string>> | undefined;
  #askNext: { names: Set<string>; answer: Promise<ReadonlySet<string>> } | undefined;

  /** Before the first `catchUp`. */
  constructor(options: AnnouncedFencesOptions) {
    this.#options = options;
    options.announcements.follow(FENCE_KIND, {
      hear: (names) => this.#hear(names),
      reset: () => this.#reset(),
    });
  }

  async raise(names: readonly string[], options: FenceOptions = {}): Promise<void> {
    for (let start = 0; start < names.length; start += MAX_ANNOUNCED) {
      const records = names.slice(start, start + MAX_ANNOUNCED).map((text) => ({ kind: FENCE_KIND, text }));
      await this.#options.announcements.announce(records, options);
    }
  }

  isRaised(name: string, options?: FenceOptions): MaybePromise<boolean> {
    return whenKnown(this.#isCurrent(options), (isCurrent) =>
      isCurrent ? this.#names.has(name) : this.#ask([name]).then((raised) => raised.has(name)),
    );
  }

  raisedAmong(names: readonly string[], options?: FenceOptions): MaybePromise<readonly string[]> {
    return whenKnown(this.#isCurrent(options), (isCurrent) =>
      isCurrent
        ? names.filter((name) => this.#names.has(name))
        : this.#ask(names).then((raised) => names.filter((name) => raised.has(name))),
    );
  }

  hasHeard(name: string): boolean {
    return this.#names.has(name);
  }

  /** Whether what it knows is all; false: the truth has to be asked. */
  #isCurrent(options: FenceOptions | undefined): MaybePromise<boolean> {
    const caughtUp = this.#options.announcements.catchUp(options);
    if (!(caughtUp instanceof Promise)) return true;
    return caughtUp.then(
      () => true,
      (error: unknown) => {
        options?.signal?.throwIfAborted();
        this.#options.log.debug({ err: error }, 'fences are read from the database');
        return false;
      },
    );
  }

  #hear(names: readonly string[]): void {
    const nowMs = this.#options.clock.nowMs();
    this.heardTimes += 1;
    for (const name of names) {
      // Deleting first moves it to the end.
      this.#names.delete(name);
      this.#names.set(name, nowMs);
    }
    for (const [name, heardMs] of this.#names) {
      if (heardMs > nowMs - keptMs) break;
      this.#names.delete(name);
    }
  }

  async #reset(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    this.#names = new Map((await this.#options.load()).map((name) => [name, nowMs]));
    this.heardTimes += 1;
  }

  /** One question to the truth at a time; those who come meanwhile share the next one. */
  #ask(names: readonly string[]): Promise<ReadonlySet<string>> {
    if (this.#askNext) {
      for (const name of names) this.#askNext.names.add(name);
      return this.#askNext.answer;
    }
    const asked = new Set(names);
    const next = { names: asked, answer: this.#askAfter(this.#asking, asked) };
    this.#askNext = next;
    return next.answer;
  }

  async #askAfter(
    before: Promise<unknown> | undefined,
    names: ReadonlySet<string>,
  ): Promise<ReadonlySet<string>> {
    // Its own callers hear of its error.
    await before?.catch(() => undefined);
    this.#asking = this.#askNext?.answer;
    this.#askNext = undefined;
    return this.#options.read([...names]);
  }
}
