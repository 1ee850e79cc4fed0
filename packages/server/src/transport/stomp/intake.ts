import {
  CLOSE_CODES,
  closeCodeOfFault,
  type StompDecoder,
  StompFault,
  type StompFrame,
} from '@hvideo/protocol/stomp';
import type { ConnectionHost } from './host.ts';
import { bytesOfFrame, frameLimit, gatewayLimits as limits } from './limits.ts';
import { Line } from './line.ts';

/** What comes in over a connection: frames, whatever messages they are cut into, and what they may cost. */
export abstract class Intake extends Line {
  heardMs: number;
  /** Since when the rest of a frame is missing; 0: it is not. */
  partialSinceMs = 0;
  /** Only while the rest of a frame is missing, or frames wait for CONNECT to be answered. */
  #decoder: StompDecoder | undefined = undefined;
  #tokens = frameLimit.burst;
  #tokensMs: number;

  constructor(host: ConnectionHost, address: string) {
    super(host, address);
    const nowMs = host.clock.monotonicMs();
    this.heardMs = nowMs;
    this.#tokensMs = nowMs;
  }

  /** Carries it out. Answers 1 for an acknowledgement of something, which is for free. */
  protected abstract take(frame: StompFrame, decoder: StompDecoder): number;

  received(data: string | Uint8Array): void {
    if (this.isEnding) return;
    this.heardMs = this.host.clock.monotonicMs();
    this.host.counts.messages += 1;
    const decoder = this.#decoder ?? this.host.takeDecoder(this.version);
    this.#read(decoder, data);
  }

  /** What came behind CONNECT. */
  protected readWaiting(): void {
    const decoder = this.#decoder;
    if (!decoder) return;
    this.#decoder = undefined;
    this.#read(decoder, undefined);
  }

  override closed(code: number): void {
    this.#decoder = undefined;
    super.closed(code);
  }

  #read(decoder: StompDecoder, data: string | Uint8Array | undefined): void {
    try {
      if (data !== undefined) decoder.push(data);
      this.#takeFrames(decoder, data?.length ?? 0);
    } catch (error) {
      if (!(error instanceof StompFault)) throw error;
      this.#decoder = undefined;
      this.fail(error.code, error.message, undefined, closeCodeOfFault(error.code));
    }
  }

  /** Whatever frames are there, until one has to be waited for. */
  #takeFrames(decoder: StompDecoder, bytes: number): void {
    let useful = 0;
    let frames = 0;
    while (this.state === 'new' || this.state === 'open') {
      const frame = decoder.next();
      if (frame === undefined) break;
      frames += 1;
      useful += this.take(frame, decoder);
    }
    this.host.counts.frames += frames;
    this.#keep(decoder, frames > 0);
    this.#charge(Math.max(1, frames) - useful + Math.floor(bytes / bytesOfFrame));
  }

  /** One that holds nothing serves the next connection. */
  #keep(decoder: StompDecoder, isFurther: boolean): void {
    const isWaiting = this.state === 'connecting';
    // Each frame has its own time: what is left now is another one.
    if (isFurther) this.partialSinceMs = 0;
    if (isWaiting || decoder.bufferedBytes > 0) {
      this.#decoder = decoder;
      if (!isWaiting && this.partialSinceMs === 0) {
        this.due(limits.frameWithinMs);
        this.partialSinceMs = this.heardMs;
      }
      return;
    }
    this.#decoder = undefined;
    this.partialSinceMs = 0;
    if (this.state === 'open' || this.state === 'new') this.host.giveDecoder(decoder);
  }

  /** A token bucket without a timer: whoever sends what nobody needs, faster than anybody has to, is cut off. */
  #charge(cost: number): void {
    if (cost <= 0 || !this.host.hasLimits) return;
    const nowMs = this.heardMs;
    const { burst, perSecond } = frameLimit;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#tokensMs) / 1000) * perSecond) - cost;
    this.#tokensMs = nowMs;
    if (this.#tokens < 0) this.fail('rate-limited', 'too many frames', undefined, CLOSE_CODES.flooding);
  }
}
