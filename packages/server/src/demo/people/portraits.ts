import type { Canvas } from '../art/canvas.ts';
import { hex, mixRgb, type Rgb, ramp } from '../art/color.ts';
import { smooth } from '../art/math.ts';
import { between, pick, type Seeded } from '../art/seeded.ts';
import { paintPlace } from './places.ts';
import type { Haircut, Person, Skin } from './roster.ts';

type Choice = readonly [string, ...string[]];
type Sky = readonly [string, string, ...string[]];

const skies: readonly [Sky, ...Sky[]] = [
  ['#ffb88c', '#de6262'],
  ['#89c7ff', '#4568dc'],
  ['#f7d794', '#f19066'],
  ['#9be7c4', '#2a9d8f'],
  ['#d9a7ff', '#6a3ab2'],
  ['#ffd3e0', '#e26a9a'],
  ['#fdf1d3', '#e8b04b'],
  ['#7ad7f0', '#22577a'],
  ['#3b3f8f', '#14163f'],
];
const skins: Readonly<Record<Skin, Choice>> = {
  light: ['#f6d3bd', '#eebf9f', '#f2c9ae', '#e8b896'],
  medium: ['#d99e78', '#cf946b', '#c4855d'],
  dark: ['#8d5a3b', '#7a4a31', '#6b3f2a'],
};
const darkHair: Choice = ['#1d1a22', '#2b1d1a', '#33231f', '#252a38'];
const brightHair: Choice = ['#4a2c20', '#7a4a2a', '#b8743a', '#d9b06a'];
const clothes: Choice = [
  '#264653',
  '#e76f51',
  '#2a9d8f',
  '#f4a261',
  '#6d597a',
  '#b56576',
  '#355070',
  '#f1faee',
  '#e9c46a',
];

/** Covers what a distance (in shares of the edge, negative inside) says, with a soft rim of one pixel. */
type Shape = (x: number, y: number) => number;

const circle =
  (cx: number, cy: number, r: number): Shape =>
  (x, y) =>
    Math.hypot(x - cx, y - cy) - r;
const ellipse =
  (cx: number, cy: number, rx: number, ry: number): Shape =>
  (x, y) =>
    (Math.hypot((x - cx) / rx, (y - cy) / ry) - 1) * Math.min(rx, ry);
const box =
  (cx: number, cy: number, rx: number, ry: number, round: number): Shape =>
  (x, y) => {
    const dx = Math.abs(x - cx) - rx + round;
    const dy = Math.abs(y - cy) - ry + round;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - round;
  };
const union =
  (...shapes: Shape[]): Shape =>
  (x, y) =>
    Math.min(...shapes.map((shape) => shape(x, y)));
const both =
  (a: Shape, b: Shape): Shape =>
  (x, y) =>
    Math.max(a(x, y), b(x, y));
const without =
  (a: Shape, b: Shape): Shape =>
  (x, y) =>
    Math.max(a(x, y), -b(x, y));
const below =
  (edge: number): Shape =>
  (_, y) =>
    edge - y;

function paint({ rgb, width, height }: Canvas, shape: Shape, top: Rgb, bottom: Rgb = top, alpha = 1): void {
  for (let py = 0, i = 0; py < height; py++) {
    const y = (py + 0.5) / height;
    const color = mixRgb(top, bottom, y);
    for (let px = 0; px < width; px++, i += 3) {
      const cover = alpha * smooth(0.7, -0.7, shape((px + 0.5) / width, y) * width);
      if (cover > 0) for (let c = 0; c < 3; c++) rgb[i + c]! += (color[c]! - rgb[i + c]!) * cover;
    }
  }
}

const head = { x: 0.5, y: 0.45, rx: 0.145, ry: 0.175 };

/** What lies behind the head, and what lies over it. */
const haircuts: Readonly<Record<Haircut, (random: Seeded) => readonly [Shape | undefined, Shape]>> = {
  bob: () => [
    both(ellipse(0.5, 0.47, 0.215, 0.25), (x, y) => y - 0.64 - 0.02 * Math.cos((x - 0.5) * 30)),
    without(ellipse(0.5, 0.41, 0.19, 0.2), ellipse(0.53, 0.53, 0.165, 0.2)),
  ],
  long: () => [
    union(ellipse(0.5, 0.44, 0.2, 0.22), box(0.5, 0.66, 0.2, 0.24, 0.1)),
    without(
      ellipse(0.5, 0.4, 0.18, 0.19),
      union(ellipse(0.41, 0.53, 0.14, 0.2), ellipse(0.6, 0.53, 0.13, 0.19)),
    ),
  ],
  short: (random) => {
    const side = random() < 0.5 ? 0.44 : 0.57;
    return [undefined, without(ellipse(0.5, 0.38, 0.175, 0.165), ellipse(side, 0.52, 0.19, 0.165))];
  },
  bun: () => [
    circle(0.5, 0.2, 0.085),
    without(ellipse(0.5, 0.4, 0.172, 0.18), ellipse(0.5, 0.54, 0.17, 0.19)),
  ],
  curls: (random) => {
    const curls = Array.from({ length: 17 }, (_, k) => {
      const angle = Math.PI * (0.86 + (k / 16) * 1.28);
      return circle(
        0.5 + Math.cos(angle) * 0.17,
        0.42 + Math.sin(angle) * 0.17,
        between(random, 0.052, 0.075),
      );
    });
    return [
      union(ellipse(0.5, 0.4, 0.2, 0.2), ...curls),
      without(ellipse(0.5, 0.38, 0.17, 0.15), ellipse(0.5, 0.49, 0.155, 0.14)),
    ];
  },
  cap: () => [
    undefined,
    union(
      both(ellipse(0.5, 0.4, 0.165, 0.185), (_, y) => y - 0.37),
      box(0.58, 0.368, 0.15, 0.018, 0.018),
    ),
  ],
};

/** A person without a face before a warm or cold sky, or a place, as some prefer. */
export function paintPortrait(canvas: Canvas, { look, locale }: Person, random: Seeded): void {
  if (look === 'place') {
    paintPlace(canvas, random);
    return;
  }
  const [tone, haircut] = look;
  const hairs = tone === 'light' && locale === 'en' ? brightHair : darkHair;
  const sky = pick(random, skies);
  canvas.fillVertical(ramp(sky, 'screen'));
  paint(
    canvas,
    circle(between(random, 0.35, 0.65), between(random, 0.34, 0.46), between(random, 0.27, 0.33)),
    [1, 1, 1],
    [1, 1, 1],
    0.22,
  );
  const skin = hex(pick(random, skins[tone]));
  const shade = mixRgb(skin, hex('#6a2c3a'), 0.28);
  const hair = hex(pick(random, hairs));
  const cloth = hex(pick(random, clothes));
  const [behind, over] = haircuts[haircut](random);
  const hairTop = mixRgb(hair, [1, 1, 1], 0.16);
  if (behind) paint(canvas, behind, mixRgb(hair, [0, 0, 0], 0.1), mixRgb(hair, [0, 0, 0], 0.3));
  paint(canvas, box(0.5, 0.65, 0.06, 0.12, 0.05), shade);
  const shoulders = union(ellipse(0.5, 1.02, 0.34, 0.29), box(0.5, 1.1, 0.34, 0.12, 0.1));
  paint(
    canvas,
    without(shoulders, ellipse(0.5, 0.715, 0.085, 0.06)),
    mixRgb(cloth, [1, 1, 1], 0.12),
    mixRgb(cloth, [0, 0, 0], 0.18),
  );
  paint(canvas, union(circle(head.x - head.rx, 0.47, 0.028), circle(head.x + head.rx, 0.47, 0.028)), shade);
  paint(canvas, ellipse(head.x, head.y, head.rx, head.ry), mixRgb(skin, [1, 1, 1], 0.08), shade);
  for (const x of [0.425, 0.575])
    paint(canvas, ellipse(x, 0.515, 0.032, 0.02), hex('#f0686e'), hex('#f0686e'), 0.22);
  paint(canvas, over, hairTop, hair);
  if (random() < 0.28) glasses(canvas);
  if (random() < 0.3)
    paint(canvas, both(shoulders, without(below(0.86), below(0.9))), [1, 1, 1], [1, 1, 1], 0.35);
}

function glasses(canvas: Canvas): void {
  const frame = hex('#22222c');
  for (const x of [0.437, 0.563]) {
    paint(canvas, circle(x, 0.46, 0.05), [1, 1, 1], [1, 1, 1], 0.25);
    paint(canvas, without(circle(x, 0.46, 0.054), circle(x, 0.46, 0.044)), frame);
  }
  paint(canvas, box(0.5, 0.452, 0.014, 0.005, 0.004), frame);
}
