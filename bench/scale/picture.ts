import { STRATEGIES } from './count.ts';
import type { Creator } from './creators.ts';
import { type Panel, short, svgOf } from './plot.ts';
import type { Simulated } from './simulate.ts';

export interface Sweeps {
  readonly creators: readonly Creator[];
  readonly byPeople: readonly Simulated[];
  readonly byActive: readonly { readonly activeShare: number; readonly simulated: Simulated }[];
}

export function pictureOf({ creators, byPeople, byActive }: Sweeps): string {
  const onePost: Panel = {
    ...{ title: 'One post', subtitle: 'inboxes that it is written into', xLabel: 'followers of its author' },
    xTicks: [100, 1_000, 10_000, 100_000, 1_000_000].map((at) => [at, short(at)] as const),
    note: 'Pull writes none.',
    marks: [
      [10_000, 'level 1'],
      [100_000, '2'],
      [1_000_000, '3'],
    ],
    lines: [
      { ...style('push'), points: creators.map(({ followers }) => [followers, followers] as const) },
      { ...style('hybrid'), points: creators.map(({ followers, pushes }) => [followers, pushes] as const) },
    ],
  };
  const people: Panel = {
    ...{
      title: 'The community',
      subtitle: 'processor time, ms a second',
      xLabel: 'people, a tenth of them active',
    },
    xTicks: byPeople.map(({ graph }) => [graph.people, short(graph.people)] as const),
    lines: linesOf(byPeople.map((each) => [each.graph.people, each] as const)),
  };
  const active: Panel = {
    ...{ title: 'Its readers', subtitle: 'processor time, ms a second', xLabel: 'active, of 100,000 people' },
    xTicks: byActive.map(({ activeShare }) => [activeShare, `${activeShare * 100}%`] as const),
    lines: linesOf(byActive.map(({ activeShare, simulated }) => [activeShare, simulated] as const)),
  };
  return svgOf({
    title: 'How the cost of timelines grows',
    description:
      'Writes for one post by the followers of its author, and processor time by people and by the share of active readers, for push, pull and the hybrid.',
    panels: [onePost, people, active],
  });
}

const style = (strategy: (typeof STRATEGIES)[number]) => ({ name: strategy, style: strategy });

const linesOf = (points: readonly (readonly [number, Simulated])[]) =>
  STRATEGIES.map((strategy) => ({
    ...style(strategy),
    points: points.map(([x, { outcomes }]) => [x, outcomes[strategy].cost.cores * 1_000] as const),
  }));
