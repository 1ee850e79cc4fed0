/**
 * Turns a hostile file into streams that play everywhere.
 *
 * Guarantees
 * - The source is read, never executed: the decoder sees one local file, no network, bounded time, memory and output.
 * - Everything written lies under `outputDir`; on failure or abort the caller deletes that folder and nothing else is left.
 * - `transcode` reports each rendition as it becomes playable, the smallest first.
 *
 * Errors: the `media-*` codes for what is wrong with the file; anything else is a bug or a full disk (`no-space`).
 * Abort: the process and its children are killed at once.
 */
export interface Transcoder {
  /** Reads the container and demuxes the file to its end, without decoding. */
  probe(path: string, options?: { signal?: AbortSignal | undefined }): Promise<MediaProbe>;
  transcode(job: TranscodeJob): Promise<TranscodeResult>;
  /** A JPEG of the frame at `atMs`, at most `maxEdge` pixels on the longer side. */
  still(job: {
    path: string;
    atMs: number;
    maxEdge: number;
    outputPath: string;
    signal?: AbortSignal | undefined;
  }): Promise<void>;
  /** Re-encodes an uploaded picture as a square JPEG without metadata. Errors: `image-unreadable`. */
  avatar(job: {
    path: string;
    edge: number;
    outputPath: string;
    signal?: AbortSignal | undefined;
  }): Promise<void>;
}

export interface MediaProbe {
  readonly durationMs: number;
  /** As displayed: rotation and pixel aspect are applied. */
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly hasAudio: boolean;
  readonly videoCodec: string;
  readonly audioCodec: string | undefined;
}

export interface TranscodeJob {
  readonly sourcePath: string;
  readonly probe: MediaProbe;
  readonly outputDir: string;
  /** The cover's moment; by default the best of the suggestions. */
  readonly coverTimeMs: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when pictures (`cover.jpg`, `cover-1.jpg` ... `cover-3.jpg`) are in `outputDir`. */
  onCovers(suggestionsMs: readonly number[]): Promise<void>;
  /** Called when every segment and the playlist of this rung are in `outputDir`; the files may be moved away from there. */
  onRendition(rendition: Rendition): Promise<void>;
  /** Percent of all the work, 0 to 100, and the estimated time left. Called at most twice a second. */
  onProgress(progress: { percent: number; etaMs: number | undefined; stage: TranscodeStage }): void;
}

export type TranscodeStage = 'covers' | 'renditions' | 'sprite';

export interface Rendition {
  /** The shorter edge as a name, `360p`; also the folder below `outputDir` that holds `index.m3u8`, `init.mp4`, `*.m4s`. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Bits per second, measured over the segments: the peak and the mean. */
  readonly peakBitrate: number;
  readonly averageBitrate: number;
  /** RFC 6381, as EXT-X-STREAM-INF wants it. */
  readonly codecs: string;
}

export interface TranscodeResult {
  readonly renditions: readonly Rendition[];
  /** `sprite.jpg`: a grid of stills for the seek bar. */
  readonly sprite: SpriteLayout | undefined;
}

export interface SpriteLayout {
  readonly columns: number;
  readonly rows: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly intervalMs: number;
  readonly count: number;
}
