import type { VideoCounts, ViewerState } from '@hvideo/protocol';

export type Reaction = 'likes' | 'favorites' | 'reposts';

/** The viewer's side of each reaction. */
export const stateOf = { likes: 'liked', favorites: 'favorited', reposts: 'reposted' } as const;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Card {
  readonly counts: VideoCounts;
  readonly viewer: ViewerState;
}

const isCardOf = (data: unknown, videoId: string): data is Card =>
  isRecord(data) &&
  data['id'] === videoId &&
  isRecord(data['counts']) &&
  isRecord(data['viewer']) &&
  'liked' in data['viewer'];

/**
 * The same data with `change` applied to every card of the video. Everything in the cache has one of the wire's shapes, so
 * one walk finds them all; what does not change keeps its identity.
 */
function patchCards(data: unknown, videoId: string, change: (card: Card) => Card): unknown {
  if (Array.isArray(data)) {
    const next = data.map((item) => patchCards(item, videoId, change));
    return next.some((item, at) => item !== data[at]) ? next : data;
  }
  if (isCardOf(data, videoId)) return change(data);
  if (!isRecord(data)) return data;
  let changed = false;
  const next = Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      const part = patchCards(value, videoId, change);
      changed ||= part !== value;
      return [key, part];
    }),
  );
  return changed ? next : data;
}

export function patchReaction(data: unknown, videoId: string, reaction: Reaction, isOn: boolean): unknown {
  const state = stateOf[reaction];
  return patchCards(data, videoId, (card) => {
    if (card.viewer[state] === isOn) return card;
    const count = Math.max(0, card.counts[reaction] + (isOn ? 1 : -1));
    return {
      ...card,
      counts: { ...card.counts, [reaction]: count },
      viewer: { ...card.viewer, [state]: isOn },
    };
  });
}

export function patchCount(
  data: unknown,
  videoId: string,
  count: 'comments' | 'shares',
  by: number,
): unknown {
  return patchCards(data, videoId, (card) => ({
    ...card,
    counts: { ...card.counts, [count]: Math.max(0, card.counts[count] + by) },
  }));
}
