import type { SoundName } from '../sound/compositions.ts';
import type { SceneName } from './scenes/index.ts';

/** The picture as it is drawn; the clip is `enlarge` times as large. */
export interface Format {
  readonly width: number;
  readonly height: number;
  readonly enlarge: number;
}

/** One loop is drawn, and then repeated. */
export interface Timing {
  readonly framesPerSecond: number;
  readonly loopSeconds: number;
  readonly repeats: number;
}

export interface Clip extends Format, Timing {
  /** Also the seed of everything in it. */
  readonly key: string;
  readonly author: string;
  /** Of all its author's clips only this one has it: that is how an earlier start's clip is found again. */
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly scene: SceneName;
  readonly variant: string;
  readonly sound: SoundName;
}

/** Drawn as large as it is shown: quick to transcode. */
const small: Format = { width: 360, height: 640, enlarge: 1 };
const tall: Format = { width: 360, height: 640, enlarge: 1.5 };
/** For what is soft anyway, and takes long to draw. */
const soft: Format = { width: 288, height: 512, enlarge: 1.875 };
const wide: Format = { width: 640, height: 360, enlarge: 1.5 };
const square: Format = { width: 432, height: 432, enlarge: 1.25 };

const lasting = (framesPerSecond: number, loopSeconds: number, repeats: number): Timing => ({
  framesPerSecond,
  loopSeconds,
  repeats,
});

type Look = readonly [scene: SceneName, variant: string, format: Format, sound: SoundName, timing: Timing];
type Words = readonly [title: string, description: string, ...tags: string[]];

function clip(author: string, [scene, variant, format, sound, timing]: Look, words: Words): Clip {
  const [title, description, ...tags] = words;
  const key = `${scene}-${variant}`;
  return { key, author, title, description, tags, scene, variant, sound, ...format, ...timing };
}

/**
 * In the order of making, so that the last is the first in a feed. The first is short and cheap: it is what the first
 * visitor sees while the others are made.
 */
export const catalogue: readonly [Clip, ...Clip[]] = [
  clip(
    'chenyu',
    ['lanterns', 'festival', small, 'strings', lasting(24, 6, 1)],
    ['今晚湖上有一千盏灯', '许个愿再划走。Make a wish before you scroll.', ...['孔明灯', '夜景', '治愈']],
  ),
  clip(
    'finn_odell',
    ['horizon', 'magenta', tall, 'drive', lasting(30, 5, 2)],
    [
      'Driving into 1986',
      'One sun, one road, no arrival. Built from a grid and a circle.',
      ...['synthwave', 'retro', 'loop'],
    ],
  ),
  clip(
    'xu_zhixia',
    ['meadow', 'summer', tall, 'night', lasting(24, 6, 2)],
    ['外婆家后山的萤火虫', '关灯，开声音。蛐蛐也来了。', ...['萤火虫', '夏夜', '白噪音']],
  ),
  clip(
    'leo_marchetti',
    ['pendulum', 'candy', wide, 'mallets', lasting(30, 6, 2)],
    [
      'Fifteen pendulums walk into a bar',
      'Each swings once more than its neighbour. They meet again every six seconds.',
      ...['physics', 'satisfying', 'loop'],
    ],
  ),
  clip(
    'su_nian',
    ['mist', 'jade', soft, 'strings', lasting(20, 6, 2)],
    ['江南，晨雾', '远山是一笔一笔淡下去的。', ...['水墨', '国风', '山']],
  ),
  clip(
    'kai_nakamura',
    ['window', 'city', tall, 'rain', lasting(24, 6, 3)],
    [
      'Last bus home, in the rain',
      'Forehead on the window, headphones in.',
      ...['rain', 'bokeh', 'night', 'lofi'],
    ],
  ),
  clip(
    'nora_whitfield',
    ['kaleidoscope', 'jewel', square, 'musicbox', lasting(24, 6, 2)],
    [
      'Six mirrors',
      'The same handful of glass, never the same picture.',
      ...['kaleidoscope', 'colour', 'loop'],
    ],
  ),
  clip(
    'shen_nanxing',
    ['galaxy', 'blue', tall, 'stars', lasting(24, 8, 2)],
    ['四万颗星，转半圈', '每一颗都是随机数，但看久了会想家。', ...['银河', '天文', '星空']],
  ),
  clip(
    'amara_diallo',
    ['bloom', 'coral', tall, 'mallets', lasting(24, 5, 2)],
    [
      'A sunflower breathing',
      'Golden angle, six hundred petals, one slow breath.',
      ...['generative', 'colour', 'calm'],
    ],
  ),
  clip(
    'tang_guo',
    ['fireworks', 'spring', tall, 'musicbox', lasting(30, 6, 2)],
    [
      '新年快乐呀！',
      '把今年没放的烟花都放完～ Happy new year from my keyboard.',
      ...['烟花', '新年', '海边'],
    ],
  ),
  clip(
    'hana_kim',
    ['lava', 'ocean', soft, 'lofi', lasting(24, 6, 3)],
    ['Soft things, slow things', 'A lamp for your screen. 볼륨 낮게.', ...['lavalamp', 'relax', 'lofi']],
  ),
  clip(
    'song_ye',
    ['snow', 'evening', tall, 'musicbox', lasting(24, 6, 2)],
    ['山里下了今年第一场雪', '年糕已经在门口等我了。', ...['雪', '山居', '冬天']],
  ),
  clip(
    'priya_raman',
    ['ribbons', 'neon', tall, 'mallets', lasting(24, 6, 1)],
    [
      'Seventy threads, one dance',
      'Each thread does what the one before it did, a little later. That is the whole trick.',
      ...['maths', 'loop', 'light'],
    ],
  ),
  clip(
    'jonas_lindqvist',
    ['sea', 'moon', soft, 'tide', lasting(20, 6, 3)],
    ['Low tide, no wind', 'Eighteen seconds of nothing happening, on purpose.', ...['sea', 'moon', 'sleep']],
  ),
  clip(
    'he_xi',
    ['ink', 'ink', soft, 'strings', lasting(20, 6, 2)],
    ['墨在水里想了很久', '不知道是画，还是梦。', ...['水墨', '流体', '循环']],
  ),
  clip(
    'maya_okafor',
    ['bloom', 'lotus', square, 'stars', lasting(24, 5, 2)],
    ['Lotus, in 620 dots', 'Same maths as a pine cone, nicer colours.', ...['generative', 'loop', 'maths']],
  ),
  clip(
    'gu_bei',
    ['horizon', 'teal', wide, 'drive', lasting(30, 5, 2)],
    ['凌晨四点的合成器', '十六步音序，一台鼓机，一个出不来的太阳。', ...['合成器', '蒸汽波', '音乐']],
  ),
  clip(
    'elif_aydin',
    ['kaleidoscope', 'rose', tall, 'strings', lasting(24, 6, 2)],
    [
      'Rose window',
      'Eightfold, like the tiles in my grandmother’s kitchen.',
      ...['geometry', 'pattern', 'kaleidoscope'],
    ],
  ),
  clip(
    'jiang_xiaoyu',
    ['window', 'harbour', tall, 'rain', lasting(24, 6, 2)],
    ['雨天的码头咖啡馆', '发呆时间，不接电话。', ...['雨声', '白噪音', '发呆']],
  ),
  clip(
    'sam_rivera',
    ['pendulum', 'sand', tall, 'mallets', lasting(30, 6, 1)],
    [
      'Wait for them to line up',
      'My first shader that did what I wanted.',
      ...['satisfying', 'loop', 'learning'],
    ],
  ),
  clip(
    'ye_qing',
    ['ink', 'jade', soft, 'tide', lasting(20, 6, 2)],
    ['一块会呼吸的翡翠', '放大看，里面住着一整片森林。', ...['翡翠', '流体', '绿色']],
  ),
  clip(
    'zoe_larkin',
    ['snow', 'morning', wide, 'night', lasting(24, 6, 3)],
    ['Snow day, no alarm', 'For everyone who woke up too early anyway.', ...['snow', 'sleep', 'calm']],
  ),
  clip(
    'maya_okafor',
    ['fireworks', 'gold', square, 'stars', lasting(30, 6, 2)],
    [
      'Gold over the bay',
      'Two hundred and thirty sparks a shell, and the water keeps all of them.',
      ...['fireworks', 'night', 'reflection'],
    ],
  ),
  clip(
    'shen_nanxing',
    ['galaxy', 'gold', wide, 'stars', lasting(24, 6, 2)],
    ['旋臂', '横过来看，像一只睁开的眼睛。', ...['星系', '宇宙', '循环']],
  ),
  clip(
    'su_nian',
    ['ink', 'silk', soft, 'night', lasting(20, 6, 2)],
    ['绯红的绸子被风吹皱', 'Silk, wind, and a little too much red.', ...['丝绸', '流体', '配色']],
  ),
  clip(
    'lin_wanqiu',
    ['mist', 'dawn', soft, 'tide', lasting(20, 6, 2)],
    ['五点四十，云海之上', '爬了两个小时，只看了十分钟，值了。', ...['日出', '云海', '登山']],
  ),
  clip(
    'ines_duarte',
    ['sea', 'sunset', tall, 'tide', lasting(24, 6, 3)],
    [
      'The last ten minutes of light',
      'Headphones on, phone down. 落日也等你。',
      ...['sunset', 'sea', 'calm'],
    ],
  ),
  clip(
    'lin_wanqiu',
    ['aurora', 'green', tall, 'stars', lasting(24, 6, 2)],
    ['零下二十度，等到了它', '四个小时，两个暖宝宝，一整片天空。', ...['极光', '夜空', '旅行']],
  ),
  clip(
    'jonas_lindqvist',
    ['aurora', 'violet', wide, 'night', lasting(24, 6, 2)],
    [
      'Violet hour above the lake',
      'It made no sound at all, so I made one for it.',
      ...['aurora', 'night', 'north'],
    ],
  ),
];

export function clipOf(key: string): Clip {
  const found = catalogue.find((clip) => clip.key === key);
  if (!found) throw new TypeError(`there is no clip "${key}"`);
  return found;
}
