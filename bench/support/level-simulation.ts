import {
  HEAT_WEIGHTS,
  LEVEL_FOLLOWERS,
  LEVEL_HEAT,
  type Level,
  nextLevel,
} from '../../packages/server/src/features/timeline/tuning/levels.ts';
import { HEAT, perEvent } from '../../packages/server/src/features/timeline/tuning/rates.ts';

export const STEP_MS = 5 * 60_000;
export const STEPS_PER_HOUR = 12;
const stepsPerDay = 288;
const fade = 0.5 ** (STEP_MS / HEAT.halfLifeMs);

export type Draw = () => number;

/** Mulberry32: the same numbers for a seed on every machine. */
export function draws(seed: number): Draw {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normal = (draw: Draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
/** Exact where few are expected, and normal where many are. */
function poisson(draw: Draw, mean: number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(draw)));
  const end = Math.exp(-mean);
  let count = 0;
  for (let left = draw(); left > end; left *= draw()) count += 1;
  return count;
}

interface Burst {
  /** Views a day at its height, and how fast it gets there and fades. */
  readonly height: number;
  readonly riseSteps: number;
  readonly fadeSteps: number;
  readonly peakAt: number;
}

/** What is measured of a creator each step. */
export interface Measures {
  readonly followers: number;
  readonly heat: number;
  /** Change an hour, over the last half hour: of the logarithm of heat, of heat itself, and of followers. */
  readonly logSlope: number;
  readonly logAcceleration: number;
  readonly heatSlope: number;
  readonly followerSlope: number;
}

/**
 * A creator: followers by a power law, a daily rhythm of views, posts, and bursts that rise exponentially for some hours,
 * some of which break off early, and fade.
 */
export class SimulatedCreator {
  readonly #draw: Draw;
  readonly #postsPerStep: number;
  readonly #burstsPerStep: number;
  readonly #history: { heat: number; followers: number }[] = [];
  #bursts: Burst[] = [];
  followers: number;
  heat = 0;
  posts = 0;

  constructor(draw: Draw) {
    this.#draw = draw;
    // Pareto: one in a hundred has some seventy times the least. Smaller ones hardly ever reach a level that matters.
    this.followers = Math.min(5_000_000, 3_000 / (1 - draw()) ** (1 / 1.1));
    this.#postsPerStep = (0.2 + 2 * draw()) / stepsPerDay;
    this.#burstsPerStep = (0.05 + 0.15 * draw()) / stepsPerDay;
    const viewsPerDay = this.#baseline(stepsPerDay / 2);
    this.heat = viewsPerDay * HEAT_WEIGHTS.view;
  }

  step(at: number): void {
    const draw = this.#draw;
    if (draw() < this.#burstsPerStep) this.#bursts.push(this.#newBurst(at));
    const burst = this.#bursts.reduce((sum, each) => sum + viewsOf(each, at), 0);
    this.#bursts = this.#bursts.filter((each) => at < each.peakAt || viewsOf(each, at) > 50);
    const views = poisson(draw, (this.#baseline(at) + burst) / stepsPerDay);
    const follows = poisson(draw, (0.0005 * this.followers + 0.02 * burst) / stepsPerDay);
    const mentions = poisson(draw, (0.002 * burst) / stepsPerDay);
    // Who draws a crowd goes on for it.
    this.posts = poisson(draw, this.#postsPerStep * (burst > this.#baseline(at) ? 3 : 1));
    this.followers += follows;
    const weight =
      views * HEAT_WEIGHTS.view + follows * HEAT_WEIGHTS.follow + mentions * HEAT_WEIGHTS.mention;
    this.heat = this.heat * fade + weight * perEvent(HEAT);
    this.#history.push({ heat: this.heat, followers: this.followers });
    if (this.#history.length > STEPS_PER_HOUR + 1) this.#history.shift();
  }

  measures(): Measures {
    const { followers, heat } = this;
    const [half, whole] = [this.#history.at(-7), this.#history.at(-13)];
    if (!half || !whole)
      return { followers, heat, logSlope: 0, logAcceleration: 0, heatSlope: 0, followerSlope: 0 };
    const logSlope = 2 * Math.log((heat + 1) / (half.heat + 1));
    return {
      ...{ followers, heat, logSlope },
      logAcceleration: logSlope - 2 * Math.log((half.heat + 1) / (whole.heat + 1)),
      heatSlope: 2 * (heat - half.heat),
      followerSlope: 2 * (followers - half.followers),
    };
  }

  #baseline(at: number): number {
    return 0.3 * this.followers * (1 + 0.6 * Math.sin((2 * Math.PI * at) / stepsPerDay));
  }

  #newBurst(at: number): Burst {
    const draw = this.#draw;
    const riseSteps = STEPS_PER_HOUR * (0.3 + 1.5 * draw());
    // Four in ten break off at a fifth of what they might have become.
    const part = draw() < 0.4 ? 0.2 : 1;
    const height = Math.min(50_000_000, (part * (5_000 + 2 * this.followers)) / (1 - draw()) ** (1 / 1.2));
    const fadeSteps = STEPS_PER_HOUR * (3 + 12 * draw());
    return { height, riseSteps, fadeSteps, peakAt: at + riseSteps * Math.max(1, Math.log(height / 50)) };
  }
}

function viewsOf({ height, riseSteps, fadeSteps, peakAt }: Burst, at: number): number {
  return height * Math.exp(at < peakAt ? (at - peakAt) / riseSteps : (peakAt - at) / fadeSteps);
}

/** Whether the next level is expected within the hour. */
export type Forecast = (measures: Measures, level: Level) => boolean;

/** One creator's level under a rule, as the engine would set it; a forecast lets it rise before the threshold is reached. */
export class RuledLevel {
  readonly #forecast: Forecast | undefined;
  level: Level = 0;
  #since = -stepsPerDay;

  constructor(forecast?: Forecast) {
    this.#forecast = forecast;
  }

  step(at: number, measures: Measures): number {
    const before = this.level;
    const sinceMs = (at - this.#since) * STEP_MS;
    let after = nextLevel(before, measures, sinceMs);
    const isFast = before < 3 && after <= before && (this.#forecast?.(measures, before) ?? false);
    if (isFast) after = Math.max(before, sinceMs >= STEP_MS ? before + 1 : before) as Level;
    if (after !== before) this.#since = at;
    this.level = after;
    return after - before;
  }
}

/** What leads to the next level. */
export function thresholdsOf(level: Level): { followers: number; heat: number } {
  const [followers, heat]: readonly (readonly number[])[] = [LEVEL_FOLLOWERS, LEVEL_HEAT];
  return {
    followers: followers?.[level] ?? Number.POSITIVE_INFINITY,
    heat: heat?.[level] ?? Number.POSITIVE_INFINITY,
  };
}

/** Where both would be in an hour if they went on as in the last half hour; `margin`: how far beyond the threshold. */
export const linearForecast =
  (margin: number): Forecast =>
  ({ followers, heat, followerSlope, heatSlope }, level) => {
    const to = thresholdsOf(level);
    return (
      (heatSlope > 0 && heat + heatSlope >= to.heat * margin) ||
      (followerSlope > 0 && followers + followerSlope >= to.followers * margin)
    );
  };

/** Logistic regression by gradient descent over each sample once, as they come. */
export class OnlineLogistic {
  readonly weights = [-3, 0, 0, 0, 0];
  readonly #squares = [1e-6, 1e-6, 1e-6, 1e-6, 1e-6];

  static features({ followers, heat, logSlope, logAcceleration }: Measures, level: Level): number[] {
    const to = thresholdsOf(level);
    return [
      1,
      Math.log((followers + 1) / to.followers),
      Math.log((heat + 1) / to.heat),
      logSlope,
      logAcceleration,
    ];
  }

  chance(features: readonly number[]): number {
    const sum = features.reduce((total, value, at) => total + value * this.weights[at]!, 0);
    return 1 / (1 + Math.exp(-sum));
  }

  learn(features: readonly number[], happened: boolean): void {
    const error = (happened ? 1 : 0) - this.chance(features);
    for (const [at, value] of features.entries()) {
      const gradient = error * value;
      this.#squares[at]! += gradient * gradient;
      this.weights[at]! += (0.3 * gradient) / Math.sqrt(this.#squares[at]!);
    }
  }
}
