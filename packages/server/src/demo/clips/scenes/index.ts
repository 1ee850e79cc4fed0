import type { SceneMaker } from '../scene.ts';
import { aurora } from './aurora.ts';
import { galaxy } from './galaxy.ts';
import { ink } from './ink.ts';
import { kaleidoscope } from './kaleidoscope.ts';
import { lava } from './lava.ts';
import { ribbons } from './ribbons.ts';
import { sea } from './sea.ts';

export const sceneMakers = {
  aurora,
  galaxy,
  ink,
  kaleidoscope,
  lava,
  ribbons,
  sea,
} as const satisfies Record<string, SceneMaker>;

export type SceneName = keyof typeof sceneMakers;
