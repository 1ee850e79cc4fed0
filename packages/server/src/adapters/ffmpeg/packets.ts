import { AppError } from '../../kernel/errors.ts';
import type { SourceDetails } from './inspect.ts';
import type { MediaLimits } from './limits.ts';

/** Adds up ffprobe's packet list, one line (`stream,pts,dts,duration`) at a time, in constant memory. */
export class PacketTally {
  readonly #details: SourceDetails;
  readonly #maxVideoPackets: number;
  #videoPackets = 0;
  #videoStart = Number.POSITIVE_INFINITY;
  #videoEnd = Number.NEGATIVE_INFINITY;
  #end = Number.NEGATIVE_INFINITY;
  #start = Number.POSITIVE_INFINITY;

  constructor(details: SourceDetails, limits: MediaLimits) {
    this.#details = details;
    const byRate = Math.ceil((limits.maxFrameRate * limits.maxDurationMs) / 1000);
    const byWork = Math.ceil(limits.maxDecodedPixels / (details.codedWidth * details.codedHeight));
    this.#maxVideoPackets = Math.min(byRate, byWork);
  }

  /** Answers `false` when the file has shown itself to be too much work. */
  add(line: string): boolean {
    const [stream, pts, dts, duration] = line.split(',');
    const index = Number(stream);
    const isVideo = index === this.#details.videoIndex;
    if (line === '' || (!isVideo && index !== this.#details.audioIndex)) return true;
    const at = Number.isFinite(Number(pts)) ? Number(pts) : Number(dts);
    const length = Number.isFinite(Number(duration)) ? Number(duration) : 0;
    if (isVideo) this.#videoPackets++;
    if (Number.isFinite(at)) {
      this.#start = Math.min(this.#start, at);
      this.#end = Math.max(this.#end, at + length);
      if (isVideo) {
        this.#videoStart = Math.min(this.#videoStart, at);
        this.#videoEnd = Math.max(this.#videoEnd, at + length);
      }
    }
    return this.#videoPackets <= this.#maxVideoPackets;
  }

  get isTooMuch(): boolean {
    return this.#videoPackets > this.#maxVideoPackets;
  }

  get videoPackets(): number {
    return this.#videoPackets;
  }

  /** Of the picture: what is seen. */
  get durationMs(): number {
    if (this.#videoPackets === 0) return 0;
    return Math.max(0, Math.round((this.#videoEnd - this.#videoStart) * 1000));
  }

  /** Compares with what the container promised. */
  checkComplete(): void {
    const { promisedMs, promisedFrames } = this.#details;
    const arrivedMs =
      this.#end === Number.NEGATIVE_INFINITY ? 0 : (this.#end - Math.min(this.#start, 0)) * 1000;
    const missingMs = (promisedMs ?? arrivedMs) - arrivedMs;
    const missingFrames = (promisedFrames ?? this.#videoPackets) - this.#videoPackets;
    // Rounding, edit lists and a last packet without a length make small differences in sound files.
    if (missingMs > 250 + 0.02 * (promisedMs ?? 0) || missingFrames > 2 + 0.02 * (promisedFrames ?? 0)) {
      throw new AppError('media-truncated');
    }
  }
}
