import type { SoundName } from '../sound/compositions.ts';
import type { SceneName } from './scenes/index.ts';

export interface Clip {
  readonly key: string;
  readonly author: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly scene: SceneName;
  readonly variant: string;
  readonly sound: SoundName;
  /** The picture as it is drawn; the clip is `enlarge` times as large. */
  readonly width: number;
  readonly height: number;
  readonly enlarge: number;
  readonly framesPerSecond: number;
  readonly loopSeconds: number;
  readonly repeats: number;
}

/** Drawn as large as it is shown: quick to make. */
const small = { width: 360, height: 640, enlarge: 1 };
const portrait = { width: 360, height: 640, enlarge: 1.5 };
const wide = { width: 640, height: 360, enlarge: 1.5 };
const square = { width: 448, height: 448, enlarge: 1.25 };

type Words = readonly [title: string, description: string, ...tags: string[]];

function clip(
  key: string,
  author: string,
  picture: Pick<Clip, 'scene' | 'variant' | 'width' | 'height' | 'enlarge'>,
  sound: SoundName,
  [framesPerSecond, loopSeconds, repeats]: readonly [number, number, number],
  [title, description, ...tags]: Words,
): Clip {
  return { key, author, title, description, tags, ...picture, sound, framesPerSecond, loopSeconds, repeats };
}

/** In the order of making. The first is short and cheap: it is what a first visitor sees while the others are made. */
export const catalogue: readonly [Clip, ...Clip[]] = [
  clip(
    'ribbons-neon',
    'priya_raman',
    { scene: 'ribbons', variant: 'neon', ...small },
    'strings',
    [24, 6, 1],
    [
      'Seventy threads, one dance',
      'Each thread does what the one before it did, a little later.',
      'loop',
      'maths',
      'light',
    ],
  ),
  clip(
    'aurora-green',
    'lin_wanqiu',
    { scene: 'aurora', variant: 'green', ...portrait },
    'stars',
    [24, 6, 2],
    ['湖边的极光', '零下二十度，等了四个小时。', '极光', '夜空', '治愈'],
  ),
  clip(
    'sea-sunset',
    'ines_duarte',
    { scene: 'sea', variant: 'sunset', ...wide },
    'tide',
    [24, 6, 2],
    ['The last ten minutes of light', 'Headphones on. No talking.', 'sunset', 'sea', 'calm'],
  ),
  clip(
    'kaleidoscope-jewel',
    'nora_whitfield',
    { scene: 'kaleidoscope', variant: 'jewel', ...square },
    'musicbox',
    [24, 6, 2],
    ['Six mirrors', 'The same handful of glass, never the same picture.', 'kaleidoscope', 'loop', 'colour'],
  ),
];

export function clipOf(key: string): Clip {
  const found = catalogue.find((clip) => clip.key === key);
  if (!found) throw new TypeError(`there is no clip "${key}"`);
  return found;
}
