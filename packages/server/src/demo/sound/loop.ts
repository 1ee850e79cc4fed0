import { TAU } from '../art/math.ts';
import type { Seeded } from '../art/seeded.ts';
import type { Stereo } from './wav.ts';

export const SAMPLE_RATE = 44_100;
/** As loud as speech in other clips, and never clipped. */
const targetRms = 0.13;
const ceiling = 0.84;

/** One instrument's tone: `t` in seconds since it was struck. */
export type Voice = (t: number) => number;

/**
 * Sound whose end runs into its beginning: whatever rings on past the end is heard at the start, so that a clip that
 * repeats has no seam.
 */
export class Loop implements Stereo {
  readonly sampleRate = SAMPLE_RATE;
  readonly seconds: number;
  readonly left: Float32Array;
  readonly right: Float32Array;

  constructor(seconds: number) {
    const length = Math.round(seconds * SAMPLE_RATE);
    this.seconds = length / SAMPLE_RATE;
    this.left = new Float32Array(length);
    this.right = new Float32Array(length);
  }

  /** `pan` from -1 (left) to 1 (right). */
  play(voice: Voice, at: number, lasts: number, gain: number, pan = 0): void {
    const { left, right } = this;
    const length = left.length;
    const start = Math.round(at * SAMPLE_RATE);
    const count = Math.round(lasts * SAMPLE_RATE);
    const angle = ((pan + 1) * Math.PI) / 4;
    const toLeft = gain * Math.cos(angle);
    const toRight = gain * Math.sin(angle);
    // A tone is cut off softly, so that the cut is not heard.
    const fade = Math.min(count, 0.02 * SAMPLE_RATE);
    for (let k = 0; k < count; k++) {
      const value = voice(k / SAMPLE_RATE) * Math.min(1, (count - k) / fade);
      const i = (((start + k) % length) + length) % length;
      left[i]! += value * toLeft;
      right[i]! += value * toRight;
    }
  }

  add(other: Stereo, gain: number): void {
    for (let i = 0; i < this.left.length; i++) {
      this.left[i]! += other.left[i]! * gain;
      this.right[i]! += other.right[i]! * gain;
    }
  }

  /** A hall: delays that feed themselves, run over the loop twice so that the tail is there from the start. */
  reverb(seconds: number, wet: number): void {
    for (const [channel, shift] of [
      [this.left, 0],
      [this.right, 23],
    ] as const) {
      const sum = new Float32Array(channel.length);
      for (const delay of [1687, 1601, 2053, 2251]) addComb(channel, sum, delay + shift, seconds);
      for (const delay of [347, 113]) allPass(sum, delay + shift);
      for (let i = 0; i < channel.length; i++) channel[i]! += sum[i]! * wet * 0.3;
    }
  }

  /** Brings the loop to its loudness; peaks are bent, not cut. */
  master(): this {
    let squares = 0;
    for (const channel of [this.left, this.right]) for (const value of channel) squares += value * value;
    const rms = Math.sqrt(squares / (2 * this.left.length));
    const gain = targetRms / (rms || 1);
    for (const channel of [this.left, this.right])
      for (let i = 0; i < channel.length; i++)
        channel[i] = ceiling * Math.tanh((channel[i]! * gain) / ceiling);
    return this;
  }
}

function addComb(input: Float32Array, sum: Float32Array, delay: number, seconds: number): void {
  const feedback = 10 ** ((-3 * delay) / (seconds * SAMPLE_RATE));
  const line = new Float32Array(delay);
  let low = 0;
  for (let pass = 0, k = 0; pass < 2; pass++) {
    for (let i = 0; i < input.length; i++, k = k + 1 === delay ? 0 : k + 1) {
      const out = line[k]!;
      low += (out - low) * 0.55;
      line[k] = input[i]! + low * feedback;
      if (pass === 1) sum[i]! += out;
    }
  }
}

function allPass(channel: Float32Array, delay: number): void {
  const line = new Float32Array(delay);
  const input = channel.slice();
  for (let pass = 0, k = 0; pass < 2; pass++) {
    for (let i = 0; i < input.length; i++, k = k + 1 === delay ? 0 : k + 1) {
      const before = line[k]!;
      const value = input[i]! + before * 0.5;
      line[k] = value;
      channel[i] = before - value * 0.5;
    }
  }
}

/** Filtered noise without a seam: the end is blended into what came before the start. */
export function noiseLoop(
  seconds: number,
  random: Seeded,
  filter: { readonly lowHz: number; readonly highHz: number },
  level: (share: number) => number = () => 1,
): Loop {
  const loop = new Loop(seconds);
  const blend = Math.floor(0.5 * SAMPLE_RATE);
  const a = 1 - Math.exp((-TAU * filter.highHz) / SAMPLE_RATE);
  const b = 1 - Math.exp((-TAU * filter.lowHz) / SAMPLE_RATE);
  for (const channel of [loop.left, loop.right]) {
    const length = channel.length;
    const raw = new Float32Array(length + blend);
    let low = 0;
    let lower = 0;
    let lowest = 0;
    for (let i = 0; i < raw.length; i++) {
      low += (random() * 2 - 1 - low) * a;
      lower += (low - lower) * a;
      lowest += (lower - lowest) * b;
      raw[i] = lower - lowest;
    }
    for (let i = 0; i < length; i++) {
      const share = i < blend ? i / blend : 1;
      const value =
        i < blend ? raw[i]! * Math.sqrt(share) + raw[length + i]! * Math.sqrt(1 - share) : raw[i]!;
      channel[i] = value * level(i / length);
    }
  }
  return loop;
}
