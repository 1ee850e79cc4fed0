import type { TranscodeProgress } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Bus, Subscription } from '../../ports/bus/port.ts';
import { createProgressHub, isOver, type ProgressHub } from './progress.ts';

const topic = 'transcode-progress';
/** Of one video the newest state of that time is told. */
const tellAfterMs = 250;
const maxTold = 500;
const maxUntold = 1_000;

interface Told {
  readonly from: string;
  readonly states: readonly (readonly [videoId: string, progress: TranscodeProgress])[];
}

export interface SharedProgressDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly bus: Bus;
  /** Of this process; no other has it. */
  readonly nodeName: string;
}

/** Who waits for a clip is mostly at another process than the one that works on it. A message that is lost costs what the row tells later. */
export class SharedProgress implements ProgressHub, AsyncDisposable {
  readonly #deps: SharedProgressDeps;
  readonly #here = createProgressHub();
  readonly #untold = new Map<string, TranscodeProgress>();
  #timer: Disposable | undefined;
  #subscription: Subscription | undefined;

  private constructor(deps: SharedProgressDeps) {
    this.#deps = deps;
  }

  static async open(deps: SharedProgressDeps): Promise<SharedProgress> {
    const progress = new SharedProgress(deps);
    progress.#subscription = await deps.bus.subscribe(topic, {
      onMessage: (message) => progress.#hear(JSON.parse(new TextDecoder().decode(message))),
      onGap: () => undefined,
    });
    return progress;
  }

  publish(videoId: string, progress: TranscodeProgress): void {
    this.#here.publish(videoId, progress);
    if (this.#untold.size >= maxUntold && !this.#untold.has(videoId)) return;
    this.#untold.set(videoId, progress);
    this.#timer ??= this.#deps.clock.after(tellAfterMs, () => this.#tell());
  }

  latest(videoId: string): TranscodeProgress | undefined {
    return this.#here.latest(videoId);
  }

  subscribe(videoId: string, listener: (progress: TranscodeProgress) => void): Disposable | undefined {
    return this.#here.subscribe(videoId, listener);
  }

  forget(videoId: string): void {
    this.#here.forget(videoId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#subscription?.[Symbol.asyncDispose]();
  }

  #hear({ from, states }: Told): void {
    if (from === this.#deps.nodeName) return;
    for (const [videoId, progress] of states) {
      this.#here.publish(videoId, progress);
      if (isOver(progress)) this.#here.forget(videoId);
    }
  }

  #tell(): void {
    this.#timer = undefined;
    const { bus, log, nodeName: from } = this.#deps;
    const states = [...this.#untold];
    this.#untold.clear();
    for (let at = 0; at < states.length; at += maxTold) {
      const told: Told = { from, states: states.slice(at, at + maxTold) };
      bus
        .publish(topic, new TextEncoder().encode(JSON.stringify(told)))
        .catch((error: unknown) => log.debug({ error: String(error) }, 'progress was not told'));
    }
  }
}
