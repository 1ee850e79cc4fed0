import { Canvas } from '../../art/canvas.ts';
import { light, ramp } from '../../art/color.ts';
import { fract, TAU } from '../../art/math.ts';
import { between, pick } from '../../art/seeded.ts';
import { type SceneMaker, variantOf } from '../scene.ts';

const variants = {
  city: {
    sky: ['#070a1a', '#0e1730', '#1c1f3f', '#2c1f38'],
    lamps: ['#ffb45e', '#ff7a4a', '#ffd79a', '#5ec8ff', '#ff5478', '#ffc04d'],
  },
  harbour: {
    sky: ['#031019', '#062433', '#0b3a44', '#0c2e36'],
    lamps: ['#7fffe0', '#4fd2ff', '#b6f3ff', '#ffe08a', '#3f9bff', '#9dffb8'],
  },
} satisfies Record<string, { sky: string[]; lamps: [string, ...string[]] }>;

const lampCount = 84;
const dropCount = 110;

interface Drop {
  readonly x: number;
  readonly start: number;
  readonly radius: number;
  readonly runs: boolean;
  readonly rounds: number;
  readonly wobble: number;
}

/** Lights of a city out of focus, seen through rain on the pane. */
export const window: SceneMaker = ({ width, height, seconds: loop, random, variant }) => {
  const look = variantOf(variants, variant);
  const sky = ramp(look.sky, 'light');
  const size = Math.min(width, height);
  const lamps = Array.from({ length: lampCount }, () => ({
    x: between(random, -0.1, 1.1),
    y: 0.22 + 0.74 * random() ** 0.75,
    radius: size * between(random, 0.02, 0.11),
    color: light(pick(random, look.lamps), between(random, 0.16, 0.75)),
    drift: between(random, 0.01, 0.05),
    phase: random() * TAU,
    pace: random() < 0.3 ? 2 : 1,
  }));
  const drops: Drop[] = Array.from({ length: dropCount }, (_, k) => ({
    x: random(),
    start: random(),
    radius: size * (k < 9 ? between(random, 0.02, 0.034) : between(random, 0.005, 0.019)),
    runs: k < 9,
    rounds: k % 3 === 0 ? 2 : 1,
    wobble: random() * TAU,
  }));
  const behind = new Canvas(width, height);
  return {
    tone: 'light',
    draw(canvas, seconds) {
      const share = seconds / loop;
      const turn = share * TAU;
      behind.fillVertical(sky);
      for (const lamp of lamps) {
        const power = 0.8 + 0.2 * Math.sin(lamp.pace * turn + lamp.phase);
        const x = (lamp.x + lamp.drift * Math.sin(turn + lamp.phase)) * width;
        bokeh(behind, x, lamp.y * height, lamp.radius, lamp.color, power);
      }
      canvas.rgb.set(behind.rgb);
      for (const drop of drops) {
        const y = drop.runs ? fract(drop.start + share * drop.rounds) * 1.16 - 0.08 : drop.start;
        const x = drop.x + (drop.runs ? 0.012 * Math.sin(y * 14 + drop.wobble) : 0);
        if (drop.runs) trail(canvas, behind, drop, y, width);
        refract(canvas, behind, x * width, y * height, drop.radius);
      }
    },
  };
};

/** A disc with a bright rim, as lenses make of points of light. */
function bokeh(
  canvas: Canvas,
  x: number,
  y: number,
  radius: number,
  color: readonly [number, number, number],
  power: number,
) {
  const { rgb, width, height } = canvas;
  for (let py = Math.max(0, Math.floor(y - radius - 1)); py <= Math.min(height - 1, y + radius + 1); py++) {
    for (let px = Math.max(0, Math.floor(x - radius - 1)); px <= Math.min(width - 1, x + radius + 1); px++) {
      const r = Math.hypot(px + 0.5 - x, py + 0.5 - y);
      const cover = Math.max(0, Math.min(1, (radius - r) / 2.5));
      if (cover <= 0) continue;
      const strength = cover * power * (0.62 + 0.5 * (r / radius) ** 6);
      const i = (py * width + px) * 3;
      rgb[i]! += color[0] * strength;
      rgb[i + 1]! += color[1] * strength;
      rgb[i + 2]! += color[2] * strength;
    }
  }
}

/** A drop shows what is behind it upside down and small. */
function refract(canvas: Canvas, behind: Canvas, x: number, y: number, radius: number): void {
  const { rgb, width, height } = canvas;
  for (
    let py = Math.max(0, Math.floor(y - radius * 1.2));
    py <= Math.min(height - 1, y + radius * 1.2);
    py++
  ) {
    for (let px = Math.max(0, Math.floor(x - radius)); px <= Math.min(width - 1, x + radius); px++) {
      const dx = (px + 0.5 - x) / radius;
      const dy = (py + 0.5 - y) / (radius * 1.15);
      const r2 = dx * dx + dy * dy;
      if (r2 >= 1) continue;
      const cover = Math.min(1, (1 - r2) * radius * 0.6);
      const sx = Math.max(0, Math.min(width - 1, Math.round(x - dx * radius * 7)));
      const sy = Math.max(0, Math.min(height - 1, Math.round(y - dy * radius * 7)));
      const shine = 0.5 * Math.max(0, 1 - ((dx + 0.35) ** 2 + (dy + 0.4) ** 2) * 9);
      const shade = 0.55 + 0.75 * (0.5 + 0.5 * dy);
      const i = (py * width + px) * 3;
      const s = (sy * width + sx) * 3;
      for (let c = 0; c < 3; c++) {
        const value = behind.rgb[s + c]! * shade + 0.012 + shine * 0.4;
        rgb[i + c]! += (value - rgb[i + c]!) * cover;
      }
    }
  }
}

/** The clear path that a running drop leaves. */
function trail(canvas: Canvas, behind: Canvas, drop: Drop, y: number, width: number): void {
  const { rgb, height } = canvas;
  const length = 0.22;
  for (let py = Math.max(0, Math.floor((y - length) * height)); py < Math.min(height, y * height); py++) {
    const v = py / height;
    const fade = 1 - (y - v) / length;
    const half = drop.radius * 0.55 * fade;
    const x = (drop.x + 0.012 * Math.sin(v * 14 + drop.wobble)) * width;
    for (let px = Math.max(0, Math.floor(x - half)); px <= Math.min(width - 1, x + half); px++) {
      const side = (px + 0.5 - x) / (half || 1);
      if (Math.abs(side) >= 1) continue;
      const sx = Math.max(0, Math.min(width - 1, Math.round(px - side * drop.radius * 4)));
      const i = (py * width + px) * 3;
      const s = (py * width + sx) * 3;
      const cover = 0.75 * fade * (1 - side * side);
      for (let c = 0; c < 3; c++) rgb[i + c]! += (behind.rgb[s + c]! * 1.15 + 0.006 - rgb[i + c]!) * cover;
    }
  }
}
