/** Red, green and blue, 1 being white: as on a screen, or as amounts of light. */
export type Rgb = readonly [number, number, number];

/** As on a screen. */
export function hex(text: string): Rgb {
  const value = Number.parseInt(text.replace('#', ''), 16);
  return [((value >> 16) & 255) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

const toLight = (value: number) => value ** 2.2;
const toScreen = (value: number) => value ** (1 / 2.2);

/** As an amount of light, for scenes that add lights up. */
export function light(text: string, strength = 1): Rgb {
  const [r, g, b] = hex(text);
  return [toLight(r) * strength, toLight(g) * strength, toLight(b) * strength];
}

export const mixRgb = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

/** Steps of a ramp; `ramp[i * 3]` is the red of step i. */
export const RAMP_STEPS = 1024;

/**
 * A smooth ramp through colours at even distances. Mixed as light and then put back on the scale asked for: mixing
 * screen values would be muddy between complementary colours.
 */
export function ramp(colors: readonly string[], kind: 'screen' | 'light', cyclic = false): Float32Array {
  const stops = colors.map((color) => light(color));
  const first = stops[0] ?? [0, 0, 0];
  if (cyclic) stops.push(first);
  const steps = new Float32Array(RAMP_STEPS * 3);
  for (let i = 0; i < RAMP_STEPS; i++) {
    const position = (i / (cyclic ? RAMP_STEPS : RAMP_STEPS - 1)) * (stops.length - 1);
    const index = Math.min(stops.length - 2, Math.floor(position));
    const share = position - index;
    const color = mixRgb(stops[index] ?? first, stops[index + 1] ?? first, share * share * (3 - 2 * share));
    for (let c = 0; c < 3; c++) {
      const value = color[c] ?? 0;
      steps[i * 3 + c] = kind === 'light' ? value : toScreen(value);
    }
  }
  return steps;
}

/** Where the colour for `share` (0 to 1) starts in a ramp. */
export const rampIndex = (share: number) =>
  3 * (share <= 0 ? 0 : share >= 1 ? RAMP_STEPS - 1 : (share * RAMP_STEPS) | 0);

/** The same for a ramp that runs in a circle. */
export const cyclicIndex = (turns: number) =>
  3 * Math.min(RAMP_STEPS - 1, ((turns - Math.floor(turns)) * RAMP_STEPS) | 0);

export function rampColor(steps: Float32Array, share: number): Rgb {
  const i = rampIndex(share);
  return [steps[i] ?? 0, steps[i + 1] ?? 0, steps[i + 2] ?? 0];
}
