/** What to make from a source: sizes, frame rate, bit rates. Pure arithmetic. */

export interface Rung {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly maxKbps: number;
}

export interface FrameRate {
  readonly numerator: number;
  readonly denominator: number;
}

const shorterEdges = [240, 360, 540, 720, 1080];
const topEdge = 1080;
/** Past this many decoders in phones give up. */
const maxLongerEdge = 4096;
/** A source this much larger than the last rung below it gets a rung of its own size: 480p must not become 360p. */
const ownSizeFactor = 1.2;
const maxOutputFps = 60;

const even = (value: number) => Math.max(2, 2 * Math.round(value / 2));
const evenBelow = (value: number) => Math.max(2, 2 * Math.floor(value / 2));

/** The rungs for a picture of this displayed size, the smallest first. Never larger than the source. */
export function ladderFor(source: { width: number; height: number }, fps: number): Rung[] {
  const shorter = Math.min(source.width, source.height);
  const longer = Math.max(source.width, source.height);
  const edges = shorterEdges.filter((edge) => edge <= shorter);
  const last = edges.at(-1);
  if (last === undefined || (shorter < topEdge && shorter >= last * ownSizeFactor))
    edges.push(evenBelow(shorter));
  const fitting = edges.filter((edge) => (longer * edge) / shorter <= maxLongerEdge);
  if (fitting.length === 0) fitting.push(evenBelow((shorter * maxLongerEdge) / longer));
  return fitting.map((edge) => {
    const other = Math.min(even((longer * edge) / shorter), evenBelow(longer), maxLongerEdge);
    const [width, height] = source.width >= source.height ? [other, edge] : [edge, other];
    return { name: `${edge}p`, width, height, maxKbps: maxKbpsFor(width * height, fps) };
  });
}

/** 5.5 Mbit/s at 1080p30; bits grow slower than pixels, and slower than frames. */
function maxKbpsFor(pixels: number, fps: number): number {
  const bySize = 5500 * (pixels / (1920 * 1080)) ** 0.75;
  return Math.round(Math.max(120, bySize * (fps > 35 ? 1.4 : 1)));
}

export const framesPerSecond = ({ numerator, denominator }: FrameRate) => numerator / denominator;

const commonRates = [10, 12, 15, 20, 24, 25, 30, 48, 50, 60];

/**
 * `base` is the rate that all of a file's timestamps fit (ffprobe's r_frame_rate). A constant rate keeps its exact fraction
 * (30000/1001 stays), halved until it is at most 60. A changing one gets its base rate, so that no frame is lost, unless
 * that is far above the mean (a clock's rate rather than a camera's); then the next common rate above the mean.
 */
export function outputFrameRate(base: FrameRate | undefined, meanFps: number): FrameRate {
  const baseFps = base ? framesPerSecond(base) : 0;
  if (base && baseFps >= 1 && isConstantRate(base, meanFps)) {
    let { denominator } = base;
    while (base.numerator / denominator > maxOutputFps + 0.5) denominator *= 2;
    return { numerator: base.numerator, denominator };
  }
  if (base && baseFps > meanFps && baseFps <= Math.min(maxOutputFps + 0.5, 2.5 * meanFps)) return base;
  const wanted = Math.min(meanFps, maxOutputFps) * 0.98;
  return { numerator: commonRates.find((rate) => rate >= wanted) ?? maxOutputFps, denominator: 1 };
}

export const isConstantRate = (base: FrameRate, meanFps: number) =>
  Math.abs(framesPerSecond(base) / meanFps - 1) <= 0.02;

export interface SpritePlan {
  readonly columns: number;
  readonly rows: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly intervalMs: number;
  readonly count: number;
}

const maxTiles = 100;
const tileLongerEdge = 160;

export function spritePlan(durationMs: number, size: { width: number; height: number }): SpritePlan {
  const intervalMs = Math.max(500, Math.ceil(durationMs / maxTiles / 100) * 100);
  // The last picture is a little before the end, so a tile exactly at the end has none.
  const count = Math.min(maxTiles, Math.max(1, Math.ceil((durationMs - 100) / intervalMs)));
  const columns = Math.min(10, count);
  const scale = Math.min(1, tileLongerEdge / Math.max(size.width, size.height));
  return {
    columns,
    rows: Math.ceil(count / columns),
    tileWidth: even(size.width * scale),
    tileHeight: even(size.height * scale),
    intervalMs,
    count,
  };
}
