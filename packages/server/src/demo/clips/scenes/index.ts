import type { SceneMaker } from '../scene.ts';
import { aurora } from './aurora.ts';
import { bloom } from './bloom.ts';
import { fireworks } from './fireworks.ts';
import { galaxy } from './galaxy.ts';
import { horizon } from './horizon.ts';
import { ink } from './ink.ts';
import { kaleidoscope } from './kaleidoscope.ts';
import { lanterns } from './lanterns.ts';
import { lava } from './lava.ts';
import { meadow } from './meadow.ts';
import { mist } from './mist.ts';
import { pendulum } from './pendulum.ts';
import { ribbons } from './ribbons.ts';
import { sea } from './sea.ts';
import { snow } from './snow.ts';
import { window } from './window.ts';

export const sceneMakers = {
  aurora,
  bloom,
  fireworks,
  galaxy,
  horizon,
  ink,
  kaleidoscope,
  lanterns,
  lava,
  meadow,
  mist,
  pendulum,
  ribbons,
  sea,
  snow,
  window,
} as const satisfies Record<string, SceneMaker>;

export type SceneName = keyof typeof sceneMakers;
