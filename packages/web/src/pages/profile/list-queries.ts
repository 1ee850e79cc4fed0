import { api, type Folder, type ListSettings } from '@hvideo/protocol';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client } from '../../app/client.ts';
import { queryClient } from '../../app/query.ts';

const pageSize = 24;

/** What of somebody's the viewer may see. */
export const listsQuery = (id: string) =>
  queryOptions({
    queryKey: ['lists', 'open', id],
    queryFn: ({ signal }) => client.call(api.engagement.lists, { params: { id } }, { signal }),
  });

export const listSettingsQuery = queryOptions({
  queryKey: ['lists', 'settings'],
  queryFn: ({ signal }) => client.call(api.engagement.settings, {}, { signal }),
});

export type CardList = 'likes' | 'favorites' | 'history';

/** Lists change by a tap anywhere in the app: they are asked for anew whenever they are opened. */
export const cardListQuery = (id: string, list: CardList, folder?: string) =>
  infiniteQueryOptions({
    queryKey: ['lists', list, id, folder ?? 'all'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const page = { limit: pageSize, ...(pageParam && { cursor: pageParam }) };
      const params = { id };
      switch (list) {
        case 'likes':
          return client.call(api.engagement.likes, { params, query: page }, { signal });
        case 'favorites':
          return client.call(
            api.engagement.favorites,
            { params, query: { ...page, ...(folder !== undefined && { folder }) } },
            { signal },
          );
        case 'history':
          return client.call(api.history.of, { params, query: page }, { signal });
      }
    },
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    staleTime: 0,
  });

export const foldersQuery = queryOptions({
  queryKey: ['lists', 'folders'],
  queryFn: async ({ signal }): Promise<readonly Folder[]> =>
    (await client.call(api.engagement.folders, {}, { signal })).items,
  staleTime: 0,
});

/** After a change of folders, or of what lies in them. */
export const refreshFavorites = () =>
  Promise.all([
    queryClient.invalidateQueries({ queryKey: ['lists', 'folders'] }),
    queryClient.invalidateQueries({ queryKey: ['lists', 'favorites'] }),
  ]);

export async function changeListSettings(change: Partial<ListSettings>): Promise<void> {
  const settings = await client.call(api.engagement.changeSettings, { body: change });
  queryClient.setQueryData(listSettingsQuery.queryKey, settings);
}
