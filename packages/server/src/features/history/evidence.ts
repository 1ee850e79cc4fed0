import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Bus, Subscription } from '../../ports/bus/port.ts';

/** As long as a media link lives: a browser may keep a segment that long and play it without asking again. */
const rememberMs = 4 * 3_600_000;
const maxEntries = 200_000;
const topic = 'segments-fetched';
/** Long enough that one message tells of many; a view is reported later than this after its first segment. */
const tellAfterMs = 100;
const maxTold = 1_000;
const maxUntold = 20_000;

export interface EvidenceDeps {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly log: Logger;
}

/**
 * Who has fetched a segment of which video, by address: a view is counted only for those who have. Kept in the memory of
 * each process, which tell each other, for a report may come to another process than the segments did. Bounded: when it is full
 * the oldest goes, and that view is not counted; so it is when a message is lost.
 */
export class SegmentEvidence implements AsyncDisposable {
  readonly #deps: EvidenceDeps;
  readonly #maxEntries: number;
  /** Oldest first. */
  readonly #fetched = new Map<string, number>();
  #untold: string[] = [];
  #timer: Disposable | undefined;
  #subscription: Subscription | undefined;

  private constructor(deps: EvidenceDeps, limit: number) {
    this.#deps = deps;
    this.#maxEntries = limit;
  }

  static async open(deps: EvidenceDeps, limit = maxEntries): Promise<SegmentEvidence> {
    const evidence = new SegmentEvidence(deps, limit);
    evidence.#subscription = await deps.bus.subscribe(topic, {
      onMessage: (message) => {
        for (const key of JSON.parse(new TextDecoder().decode(message)) as string[]) evidence.#remember(key);
      },
      // What was missed is not known here.
      onGap: () => {},
    });
    return evidence;
  }

  note(videoId: string, address: string): void {
    const key = `${videoId} ${address}`;
    const leftMs = (this.#fetched.get(key) ?? 0) - this.#deps.clock.monotonicMs();
    this.#remember(key);
    // The next segments of a video say nothing new.
    if (leftMs > rememberMs / 2 || this.#untold.length >= maxUntold) return;
    this.#untold.push(key);
    this.#timer ??= this.#deps.clock.after(tellAfterMs, () => this.#tell());
  }

  has(videoId: string, address: string): boolean {
    return (this.#fetched.get(`${videoId} ${address}`) ?? 0) > this.#deps.clock.monotonicMs();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#subscription?.[Symbol.asyncDispose]();
  }

  #remember(key: string): void {
    this.#fetched.delete(key);
    this.#fetched.set(key, this.#deps.clock.monotonicMs() + rememberMs);
    if (this.#fetched.size <= this.#maxEntries) return;
    const [oldest] = this.#fetched.keys();
    if (oldest !== undefined) this.#fetched.delete(oldest);
  }

  #tell(): void {
    this.#timer = undefined;
    const { bus, log } = this.#deps;
    const keys = this.#untold;
    this.#untold = [];
    for (let from = 0; from < keys.length; from += maxTold) {
      const message = JSON.stringify(keys.slice(from, from + maxTold));
      bus
        .publish(topic, new TextEncoder().encode(message))
        .catch((error: unknown) => log.debug({ error: String(error) }, 'who fetched segments was not told'));
    }
  }
}
