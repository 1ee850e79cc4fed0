import { TAU } from '../art/math.ts';
import type { Seeded } from '../art/seeded.ts';
import { SAMPLE_RATE, type Voice } from './loop.ts';

/** The frequency of a note, 69 being the A of 440 Hz. */
export const hertz = (note: number) => 440 * 2 ** ((note - 69) / 12);

/** A struck bell or glass: partials that are not harmonic and fade at different speeds. */
export function bell(frequency: number, ring = 1.6): Voice {
  const partials = [
    [1, 1, 1],
    [2.01, 0.45, 0.7],
    [3.03, 0.22, 0.45],
    [5.41, 0.12, 0.25],
  ] as const;
  return (t) => {
    let sum = 0;
    for (const [ratio, gain, length] of partials)
      sum += gain * Math.sin(TAU * frequency * ratio * t) * Math.exp(-t / (ring * length));
    return sum * Math.min(1, t * 400);
  };
}

/** A felt piano: few harmonics, a soft start. */
export function felt(frequency: number, ring = 1.2): Voice {
  return (t) => {
    const decay = Math.exp(-t / ring);
    const bright = Math.exp(-t / (ring * 0.3));
    const x = TAU * frequency * t;
    return (
      Math.min(1, t * 120) *
      decay *
      (Math.sin(x) + 0.35 * bright * Math.sin(2 * x) + 0.16 * bright * Math.sin(3.01 * x))
    );
  };
}

/** A plucked string (Karplus and Strong, 1983). Voices of this kind are asked in order of time. */
export function pluck(frequency: number, random: Seeded, damping = 0.994): Voice {
  const line = Float32Array.from(
    { length: Math.max(2, Math.round(SAMPLE_RATE / frequency)) },
    () => random() * 2 - 1,
  );
  // Plucked with a fingertip, not with a plectrum.
  for (let round = 0; round < 2; round++)
    for (let i = 1; i < line.length; i++) line[i] = (line[i]! + line[i - 1]!) / 2;
  let k = 0;
  return () => {
    const value = line[k]!;
    const next = k + 1 === line.length ? 0 : k + 1;
    line[k] = (value + line[next]!) * 0.5 * damping;
    k = next;
    return value;
  };
}

/** Several strings a little out of tune, swelling and fading over `seconds`. */
export function pad(frequency: number, seconds: number, warmth = 0.35): Voice {
  const detune = [0.9965, 1, 1.0041];
  return (t) => {
    const shape = Math.sin(Math.PI * Math.min(1, t / seconds)) ** 0.8;
    let sum = 0;
    for (const factor of detune) {
      const x = TAU * frequency * factor * t;
      sum +=
        Math.sin(x) +
        warmth * Math.sin(2 * x) +
        warmth * 0.4 * Math.sin(3 * x + 0.6 * Math.sin(TAU * 0.4 * t));
    }
    return (sum / 3) * shape;
  };
}

/** A bowed or blown tone with a slow vibrato. */
export function flute(frequency: number, seconds: number): Voice {
  return (t) => {
    const shape = Math.min(1, t / 0.12, Math.max(0, (seconds - t) / 0.25));
    const x = TAU * frequency * t + 0.9 * Math.min(1, t) * Math.sin(TAU * 5 * t) * 0.35;
    return shape * (Math.sin(x) + 0.18 * Math.sin(2 * x) + 0.08 * Math.sin(3 * x));
  };
}

/** A filtered sawtooth with a short envelope, as in a sequencer. */
export function sequence(frequency: number, ring = 0.18): Voice {
  return (t) => {
    const cut = Math.exp(-t / ring);
    let sum = 0;
    for (let n = 1; n <= 6; n++) sum += (Math.sin(TAU * frequency * n * t) / n) * cut ** (n * 0.45);
    return sum * cut * Math.min(1, t * 500);
  };
}

export function bass(frequency: number, ring = 0.5): Voice {
  return (t) => {
    const x = TAU * frequency * t;
    return (
      (Math.sin(x) + 0.25 * Math.sin(2 * x) * Math.exp(-t * 8)) * Math.exp(-t / ring) * Math.min(1, t * 200)
    );
  };
}

export const kick: Voice = (t) =>
  Math.sin(TAU * (48 * t + 2.2 * (1 - Math.exp(-t * 38)))) * Math.exp(-t * 8.5) * Math.min(1, t * 600);

export function hat(random: Seeded, ring = 0.035): Voice {
  let before = 0;
  return (t) => {
    const noise = random() * 2 - 1;
    const high = noise - before;
    before = noise;
    return high * Math.exp(-t / ring);
  };
}

export function snare(random: Seeded): Voice {
  let low = 0;
  return (t) => {
    low += (random() * 2 - 1 - low) * 0.45;
    return (
      (low * Math.exp(-t * 22) + 0.35 * Math.sin(TAU * 185 * t) * Math.exp(-t * 30)) * Math.min(1, t * 400)
    );
  };
}

/** A drop into a pool: the pitch of the bubble rises. */
export const drop =
  (frequency: number): Voice =>
  (t) =>
    Math.sin(TAU * frequency * (t + 1.6 * t * t)) * Math.exp(-t * 26) * Math.min(1, t * 500);
