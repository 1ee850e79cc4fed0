import type { Level } from '../packages/server/src/features/timeline/tuning/levels.ts';
import type { Benchmark } from './main.ts';
import {
  draws,
  type Forecast,
  linearForecast,
  type Measures,
  OnlineLogistic,
  RuledLevel,
  SimulatedCreator,
  STEP_MS,
  STEPS_PER_HOUR,
  thresholdsOf,
} from './support/level-simulation.ts';

const creators = 2_000;
const days = 7;
const steps = days * 24 * STEPS_PER_HOUR;
/** One to choose margins by and to learn from, the others to judge by. */
const trainingSeed = 1;
const seeds = [11, 12, 13];
/** A rise that the plain thresholds do not make within this time after the forecast was a false one. */
const window = 3 * STEPS_PER_HOUR;
const usefulSteps = 2;
/** Of followers: who would be pushed at all; and the part of these that each level leaves. */
const eligible = 0.3;
const pushedShare = [1, 1, 0.5, 0.05] as const;
/** What turning an edge costs, in pushes: two transactions of many edges, and a copy. */
const flipCost = 10;

interface Rise {
  readonly at: number;
  readonly to: number;
}

interface Outcome {
  rises: number;
  /** Of the rises that plain thresholds make too. */
  foreseen: number;
  usefullyForeseen: number;
  leadSteps: number[];
  falseRises: number;
  flips: number;
  pushes: number;
}

const nothing = (): Outcome => ({
  ...{ rises: 0, foreseen: 0, usefullyForeseen: 0, leadSteps: [], falseRises: 0, flips: 0, pushes: 0 },
});

/** Lets every creator live through the week once, under plain thresholds and each forecast at the same time. */
function simulate(
  seed: number,
  forecasts: readonly Forecast[],
  onCreator?: (run: CreatorRun) => void,
): Outcome[] {
  const draw = draws(seed);
  const outcomes = [undefined, ...forecasts].map(nothing);
  for (let number = 0; number < creators; number++) {
    const creator = new SimulatedCreator(draws(Math.floor(draw() * 2 ** 32)));
    const rules = [undefined, ...forecasts].map((forecast) => new RuledLevel(forecast));
    const rises = rules.map((): Rise[] => []);
    const measured: Measured[] = [];
    for (let at = -24 * STEPS_PER_HOUR; at < steps; at++) {
      creator.step(at);
      const measures = creator.measures();
      for (const [index, rule] of rules.entries()) {
        const before = rule.level;
        const change = rule.step(at, measures);
        if (at < 0) continue;
        const outcome = outcomes[index]!;
        const edges = eligible * creator.followers;
        outcome.pushes += creator.posts * edges * pushedShare[rule.level];
        outcome.flips += edges * Math.abs(pushedShare[rule.level] - pushedShare[before]);
        // Level 1 caps nothing.
        if (change > 0 && rule.level > 1) rises[index]!.push({ at, to: rule.level });
      }
      if (at >= 0) measured.push({ measures, posts: creator.posts, level: rules[0]!.level });
    }
    for (const [index, own] of rises.entries()) compare(outcomes[index]!, rises[0]!, own);
    onCreator?.({ measured });
  }
  return outcomes;
}

interface Measured {
  readonly measures: Measures;
  readonly posts: number;
  readonly level: Level;
}

interface CreatorRun {
  readonly measured: readonly Measured[];
}

/** Pushes that nobody would have made who knew an hour before what the plain thresholds were about to do. */
function avoidable({ measured }: CreatorRun): number {
  let pushes = 0;
  for (const [at, { measures, posts, level }] of measured.entries()) {
    if (posts === 0) continue;
    const known = Math.max(
      ...measured.slice(at, at + STEPS_PER_HOUR + 1).map((later) => later.level),
    ) as Level;
    pushes += posts * eligible * measures.followers * (pushedShare[level] - pushedShare[known]);
  }
  return pushes;
}

function compare(outcome: Outcome, plain: readonly Rise[], own: readonly Rise[]): void {
  outcome.rises += own.length;
  for (const { at, to } of plain) {
    const early = own.find((rise) => rise.to === to && rise.at <= at && rise.at >= at - window);
    if (!early) continue;
    outcome.leadSteps.push(at - early.at);
    if (early.at < at) outcome.foreseen += 1;
    if (early.at <= at - usefulSteps) outcome.usefullyForeseen += 1;
  }
  outcome.falseRises += own.filter(
    ({ at, to }) => !plain.some((rise) => rise.to === to && rise.at >= at && rise.at <= at + window),
  ).length;
}

/** Every creator within a factor of fifty of the next level is a sample each ten minutes. */
function train(): OnlineLogistic {
  const model = new OnlineLogistic();
  simulate(trainingSeed, [], ({ measured }) => {
    for (let at = 0; at + STEPS_PER_HOUR < measured.length; at += 2) {
      const { measures, level } = measured[at]!;
      if (!isNear(measures, level)) continue;
      const isReached = measured
        .slice(at + 1, at + STEPS_PER_HOUR + 1)
        .some((later) => reaches(later.measures, level));
      if (reaches(measures, level)) continue;
      model.learn(OnlineLogistic.features(measures, level), isReached);
    }
  });
  return model;
}

const reaches = ({ followers, heat }: Measures, level: Level) =>
  followers >= thresholdsOf(level).followers || heat >= thresholdsOf(level).heat;
const isNear = ({ followers, heat }: Measures, level: Level) =>
  level < 3 && (followers * 50 >= thresholdsOf(level).followers || heat * 50 >= thresholdsOf(level).heat);

const logisticForecast =
  (model: OnlineLogistic, chance: number): Forecast =>
  (measures, level) =>
    isNear(measures, level) && model.chance(OnlineLogistic.features(measures, level)) >= chance;

/** What is to be small: pushes, and turned edges in pushes. */
const costOf = ({ flips, pushes }: Outcome) => pushes + flipCost * flips;

/** The setting that costs least in the training week. */
function choose<T>(settings: readonly T[], forecastOf: (setting: T) => Forecast): T {
  const outcomes = simulate(trainingSeed, settings.map(forecastOf)).slice(1);
  const costs = outcomes.map(costOf);
  return settings[costs.indexOf(Math.min(...costs))]!;
}

function add(sum: Outcome, one: Outcome): Outcome {
  return {
    rises: sum.rises + one.rises,
    foreseen: sum.foreseen + one.foreseen,
    usefullyForeseen: sum.usefullyForeseen + one.usefullyForeseen,
    leadSteps: [...sum.leadSteps, ...one.leadSteps],
    falseRises: sum.falseRises + one.falseRises,
    flips: sum.flips + one.flips,
    pushes: sum.pushes + one.pushes,
  };
}

function report(outcome: Outcome, plain: Outcome, avoidablePushes: number) {
  const leads = outcome.leadSteps.map((lead) => (lead * STEP_MS) / 60_000).sort((a, b) => a - b);
  const part = (value: number, of: number) => Math.round((1_000 * value) / Math.max(1, of)) / 1_000;
  return {
    rises: outcome.rises,
    usefullyForeseenPart: part(outcome.usefullyForeseen, plain.rises),
    medianLeadMinutes: leads[Math.floor(leads.length / 2)] ?? 0,
    falsePart: part(outcome.falseRises, outcome.rises),
    flipsToPlain: part(outcome.flips, plain.flips),
    pushesSaved: Math.round(plain.pushes - outcome.pushes),
    /** After what more turned edges cost; of what could be saved at most. */
    netSavedPart: part(costOf(plain) - costOf(outcome), avoidablePushes),
  };
}

export const benchmark: Benchmark = {
  about:
    'Whether a forecast of an hour lets the levels of creators rise in time: plain thresholds against linear extrapolation and an online logistic regression, on simulated bursts. A forecast wins if it foresees half of the rises by 10 minutes, is wrong at most one time in five, and, after what it costs in edges turned (10 pushes each), saves a quarter of the pushes that somebody who knew the hour ahead would save.',
  async run() {
    const model = train();
    const margin = choose([1, 1.2, 1.5, 2, 3], linearForecast);
    const chance = choose([0.3, 0.5, 0.7, 0.8, 0.9, 0.95], (each) => logisticForecast(model, each));
    let sums = [nothing(), nothing(), nothing()];
    let most = 0;
    for (const seed of seeds) {
      const forecasts = [linearForecast(margin), logisticForecast(model, chance)];
      const outcomes = simulate(seed, forecasts, (run) => {
        most += avoidable(run);
      });
      sums = sums.map((sum, at) => add(sum, outcomes[at]!));
    }
    const [plain, linear, logistic] = sums.map((sum) => report(sum, sums[0]!, most));
    const wins = (each: typeof plain) =>
      each !== undefined &&
      each.netSavedPart >= 0.25 &&
      each.usefullyForeseenPart >= 0.5 &&
      each.falsePart <= 0.2;
    const winner =
      wins(linear) && (!wins(logistic) || linear!.netSavedPart >= logistic!.netSavedPart)
        ? 'linear'
        : wins(logistic)
          ? 'logistic'
          : 'plain';
    return {
      ...{ creators: creators * seeds.length, days, winner },
      plain: { rises: plain!.rises, pushes: Math.round(sums[0]!.pushes), flips: Math.round(sums[0]!.flips) },
      avoidablePushes: Math.round(most),
      linear: { margin, ...linear },
      logistic: {
        chance,
        weights: model.weights.map((weight) => Math.round(weight * 100) / 100),
        ...logistic,
      },
    };
  },
};
