import { TAU } from '../art/math.ts';
import { between, type Seeded, seeded } from '../art/seeded.ts';
import { Loop, noiseLoop } from './loop.ts';
import { bass, bell, drop, felt, flute, hat, hertz, kick, pad, pluck, sequence, snare } from './voices.ts';

interface Piece {
  readonly loop: Loop;
  readonly seconds: number;
  readonly random: Seeded;
  /** The lowest note, of the piece's own choice of keys. */
  readonly root: number;
}

/** Steps of a scale above the root. */
const scales = {
  pentatonic: [0, 2, 4, 7, 9],
  /** Of the guqin and of old songs. */
  yu: [0, 3, 5, 7, 10],
  dorian: [0, 2, 3, 5, 7, 9, 10],
} as const;

type Scale = readonly number[];

const degree = (scale: Scale, step: number) =>
  (scale[((step % scale.length) + scale.length) % scale.length] ?? 0) + 12 * Math.floor(step / scale.length);

/** Chords one after the other over the whole loop, each reaching into the next. */
function chords({ loop, seconds, root }: Piece, changes: readonly (readonly number[])[], gain: number): void {
  const each = seconds / changes.length;
  changes.forEach((chord, index) => {
    chord.forEach((step, k) => {
      const lasts = each * 1.7;
      loop.play(pad(hertz(root + step), lasts), index * each - each * 0.35, lasts, gain, (k % 3) * 0.5 - 0.5);
    });
  });
}

/** A melody that wanders over a scale, on an even grid, with rests. */
function wander(
  { random, seconds }: Piece,
  scale: Scale,
  options: { readonly notes: number; readonly rests: number; readonly span: number },
  note: (at: number, step: number, accent: number) => void,
): void {
  let position = Math.floor(options.span / 2);
  for (let k = 0; k < options.notes; k++) {
    position += Math.round(between(random, -2.4, 2.4));
    position = Math.max(0, Math.min(options.span, position));
    if (k % 4 !== 0 && random() < options.rests) continue;
    note((k / options.notes) * seconds, degree(scale, position), k % 4 === 0 ? 1 : 0.7 + 0.2 * random());
  }
}

const slow = [
  [0, 7, 12, 16],
  [-3, 4, 9, 12],
  [-7, 0, 5, 9],
  [-5, 2, 7, 14],
];
const dark = [
  [0, 7, 12, 15],
  [-4, 3, 8, 12],
  [-7, 0, 5, 8],
  [-2, 5, 10, 14],
];

const compositions = {
  /** Waves that come and go, and far chords. */
  tide(piece) {
    const { loop, seconds, random } = piece;
    const waves = Math.max(1, Math.round(seconds / 5));
    const swell = (share: number) => 0.25 + 0.75 * (0.5 - 0.5 * Math.cos(TAU * share * waves)) ** 1.6;
    chords(piece, slow, 0.1);
    loop.reverb(2.2, 0.5);
    loop.add(noiseLoop(seconds, random, { lowHz: 120, highHz: 900 }, swell), 0.9);
    loop.add(
      noiseLoop(seconds, random, { lowHz: 1500, highHz: 7000 }, (share) => swell(share - 0.03) ** 3),
      0.3,
    );
  },
  /** Glass bells over a deep sky. */
  stars(piece) {
    const { loop, random, root } = piece;
    chords({ ...piece, root: root - 12 }, slow, 0.13);
    wander(
      piece,
      scales.pentatonic,
      { notes: Math.round(piece.seconds * 2), rests: 0.5, span: 9 },
      (at, step, accent) =>
        loop.play(
          bell(hertz(root + 24 + step)),
          at + between(random, 0, 0.06),
          3,
          0.1 * accent,
          between(random, -0.8, 0.8),
        ),
    );
    loop.reverb(3.2, 0.9);
  },
  /** Rain on a window, and a piano in the next room. */
  rain(piece) {
    const { loop, seconds, random, root } = piece;
    chords(piece, dark, 0.06);
    wander(piece, scales.yu, { notes: Math.round(seconds * 1.6), rests: 0.35, span: 8 }, (at, step, accent) =>
      loop.play(felt(hertz(root + 12 + step), 1.6), at, 3.5, 0.22 * accent, between(random, -0.3, 0.3)),
    );
    loop.reverb(2, 0.6);
    loop.add(noiseLoop(seconds, random, { lowHz: 700, highHz: 6000 }), 0.22);
    for (let k = 0; k < seconds * 22; k++)
      loop.play(
        drop(between(random, 900, 3200)),
        random() * seconds,
        0.12,
        0.012 + 0.05 * random() ** 4,
        between(random, -1, 1),
      );
  },
  /** A plucked string in the mountains. */
  strings(piece) {
    const { loop, seconds, random, root } = piece;
    const breath = (share: number) => 0.5 + 0.5 * Math.sin(TAU * share * 2);
    wander(piece, scales.yu, { notes: Math.round(seconds * 2), rests: 0.45, span: 9 }, (at, step, accent) => {
      loop.play(
        pluck(hertz(root + 12 + step), random, 0.9965),
        at,
        3.5,
        0.5 * accent,
        between(random, -0.4, 0.4),
      );
      if (accent === 1) loop.play(pluck(hertz(root + step), random, 0.9975), at + 0.02, 3.5, 0.35, 0);
    });
    wander(piece, scales.yu, { notes: Math.max(2, Math.round(seconds / 3)), rests: 0, span: 5 }, (at, step) =>
      loop.play(flute(hertz(root + 24 + step), 2), at + 0.6, 2, 0.05, 0.2),
    );
    loop.reverb(2.8, 0.8);
    loop.add(noiseLoop(seconds, random, { lowHz: 250, highHz: 900 }, breath), 0.12);
  },
  /** Sixteen steps of an old sequencer over a steady drum. */
  drive(piece) {
    const { loop, seconds, random, root } = piece;
    const beats = Math.round((seconds * 100) / 60 / 4) * 4;
    const beat = seconds / beats;
    const line = [0, 7, 12, 7, 15, 12, 7, 10];
    for (let k = 0; k < beats * 4; k++) {
      const chord = dark[Math.floor((k / (beats * 4)) * dark.length)]?.[0] ?? 0;
      loop.play(
        sequence(hertz(root + 12 + chord + (line[k % line.length] ?? 0)), 0.16),
        (k * beat) / 4,
        0.5,
        0.17,
        k % 2 ? 0.5 : -0.5,
      );
      if (k % 2 === 0) loop.play(bass(hertz(root - 12 + chord), 0.22), (k * beat) / 4, 0.4, 0.34);
    }
    chords(piece, dark, 0.06);
    loop.reverb(1.6, 0.35);
    for (let k = 0; k < beats; k++) {
      loop.play(kick, k * beat, 0.5, 0.75);
      loop.play(hat(random), (k + 0.5) * beat, 0.15, 0.1, 0.2);
      if (k % 2 === 1) loop.play(snare(random), k * beat, 0.3, 0.4);
    }
  },
  /** An unhurried beat with dust on it. */
  lofi(piece) {
    const { loop, seconds, random, root } = piece;
    const beats = Math.max(4, Math.round((seconds * 78) / 60 / 4) * 4);
    const beat = seconds / beats;
    const changes = [
      [0, 4, 7, 11, 14],
      [-3, 0, 4, 7, 11],
      [2, 5, 9, 12, 16],
      [-5, -1, 2, 5, 9],
    ];
    for (let k = 0; k < beats; k += 2) {
      const chord = changes[Math.floor((k / beats) * changes.length)] ?? [];
      chord.forEach((step, i) => {
        loop.play(felt(hertz(root + 12 + step), 1.4), k * beat + i * 0.018, 2, 0.13, i * 0.15 - 0.3);
      });
      loop.play(bass(hertz(root - 12 + (chord[0] ?? 0)), 0.6), k * beat, 1, 0.4);
      loop.play(bass(hertz(root - 12 + (chord[0] ?? 0)), 0.3), (k + 1.5) * beat, 0.5, 0.25);
    }
    wander(piece, scales.pentatonic, { notes: beats * 2, rests: 0.6, span: 6 }, (at, step, accent) =>
      loop.play(bell(hertz(root + 24 + step), 0.7), at, 1.5, 0.05 * accent, between(random, -0.5, 0.5)),
    );
    loop.reverb(1.1, 0.3);
    for (let k = 0; k < beats; k++) {
      if (k % 2 === 0) loop.play(kick, k * beat, 0.5, 0.6);
      else loop.play(snare(random), k * beat + 0.012, 0.3, 0.4);
      loop.play(hat(random, 0.025), k * beat, 0.12, 0.07, -0.3);
      loop.play(hat(random, 0.025), (k + 0.56) * beat, 0.12, 0.05, 0.3);
    }
    for (let k = 0; k < seconds * 9; k++)
      loop.play(hat(random, 0.002), random() * seconds, 0.01, 0.05 * random(), between(random, -1, 1));
  },
  /** Crickets, and a slow piano. */
  night(piece) {
    const { loop, seconds, random, root } = piece;
    chords({ ...piece, root: root - 5 }, slow, 0.07);
    wander(
      piece,
      scales.pentatonic,
      { notes: Math.round(seconds * 1.2), rests: 0.3, span: 8 },
      (at, step, accent) =>
        loop.play(felt(hertz(root + 12 + step), 2), at, 4, 0.2 * accent, between(random, -0.3, 0.3)),
    );
    loop.reverb(2.6, 0.8);
    for (let cricket = 0; cricket < 4; cricket++) {
      const pitch = between(random, 3900, 4900);
      const chirps = Math.round(seconds * between(random, 0.9, 1.5));
      const pan = between(random, -0.9, 0.9);
      for (let k = 0; k < chirps; k++)
        loop.play(
          (t) =>
            Math.sin(TAU * pitch * t) * Math.max(0, Math.sin(TAU * 32 * t)) * Math.sin((Math.PI * t) / 0.28),
          ((k + cricket * 0.23) / chirps) * seconds,
          0.28,
          0.018,
          pan,
        );
    }
  },
  /** A music box that plays in threes. */
  musicbox(piece) {
    const { loop, seconds, random, root } = piece;
    const bars = Math.max(2, Math.round(seconds / 2.2));
    const eighth = seconds / (bars * 6);
    for (let k = 0; k < bars * 6; k++) {
      const chord = slow[Math.floor((k / (bars * 6)) * slow.length)] ?? [];
      const step = chord[[0, 2, 3, 1, 3, 2][k % 6] ?? 0] ?? 0;
      loop.play(bell(hertz(root + 24 + step), 0.9), k * eighth, 2.2, 0.16, (k % 3) * 0.4 - 0.4);
    }
    wander(piece, scales.pentatonic, { notes: bars * 3, rests: 0.4, span: 7 }, (at, step, accent) =>
      loop.play(bell(hertz(root + 36 + step), 1.1), at, 2.4, 0.11 * accent, between(random, -0.5, 0.5)),
    );
    chords(piece, slow, 0.05);
    loop.reverb(1.8, 0.6);
  },
  /** Soft mallets that come in one after the other, as waves do. */
  mallets(piece) {
    const { loop, seconds, root } = piece;
    const steps = Math.round(seconds * 5);
    for (let k = 0; k < steps; k++) {
      const t = (k / steps) * seconds;
      loop.play(
        felt(hertz(root + 12 + degree(scales.pentatonic, [0, 3, 5, 2, 4][k % 5] ?? 0)), 0.7),
        t,
        1.6,
        0.16,
        -0.4,
      );
      if (k % 3 === 0)
        loop.play(
          felt(hertz(root + 24 + degree(scales.pentatonic, [1, 4, 2, 6][(k / 3) % 4] ?? 0)), 0.9),
          t,
          2,
          0.12,
          0.5,
        );
      if (k % 15 === 0) loop.play(bass(hertz(root), 1.2), t, 2.5, 0.3);
    }
    chords(piece, slow, 0.05);
    loop.reverb(2, 0.6);
  },
} as const satisfies Record<string, (piece: Piece) => void>;

export type SoundName = keyof typeof compositions;

export const soundNames = Object.keys(compositions).filter((name): name is SoundName => name in compositions);

/** The same sound for the same name, length and seed; between -1 and 1. */
export function compose(name: SoundName, seconds: number, seed: number): Loop {
  const random = seeded(seed);
  const loop = new Loop(seconds);
  compositions[name]({ loop, seconds: loop.seconds, random, root: 45 + Math.floor(random() * 8) });
  return loop.master();
}
