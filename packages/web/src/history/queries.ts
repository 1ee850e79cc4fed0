import { api, type HistoryPlace } from '@hvideo/protocol';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client } from '../app/client.ts';
import { queryClient } from '../app/query.ts';

export const historyQuery = infiniteQueryOptions({
  queryKey: ['history', 'list'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ pageParam, signal }) =>
    client.call(
      api.history.list,
      { query: { limit: 30, ...(pageParam && { cursor: pageParam }) } },
      { signal },
    ),
  getNextPageParam: (page) => page.nextCursor ?? undefined,
  // What was watched a moment ago is expected at the top.
  staleTime: 0,
});

export const historySettingsQuery = queryOptions({
  queryKey: ['history', 'settings'],
  queryFn: ({ signal }) => client.call(api.history.settings, {}, { signal }),
});

/** Where one was in the video. Asked for anew each time its page is opened, because of other devices. */
export const placeQuery = (id: string) =>
  queryOptions({
    queryKey: ['history', 'place', id],
    queryFn: ({ signal }) => client.call(api.history.place, { params: { id } }, { signal }),
    staleTime: 0,
  });

/** Known before the server is told: leaving the feed for the video's own page goes on at once, also without an account. */
export function rememberPlace(id: string, place: HistoryPlace): void {
  queryClient.setQueryData(placeQuery(id).queryKey, place);
}

/** After the history, or one video of it, was erased. */
export function forgetPlaces(id?: string): void {
  queryClient.removeQueries({ queryKey: id === undefined ? ['history', 'place'] : placeQuery(id).queryKey });
}
