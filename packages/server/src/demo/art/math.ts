export const TAU = Math.PI * 2;

export const clamp01 = (value: number) => Math.max(0, Math.min(1, value));
export const mix = (a: number, b: number, share: number) => a + (b - a) * share;
export const fract = (value: number) => value - Math.floor(value);

/** 0 below `low`, 1 above `high`, smooth between; `low` may be the larger one. */
export function smooth(low: number, high: number, value: number): number {
  const t = clamp01((value - low) / (high - low));
  return t * t * (3 - 2 * t);
}
