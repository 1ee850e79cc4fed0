import { api } from '@hvideo/protocol';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client } from '../app/client.ts';

/** By id or `@username`. */
export const profileQuery = (id: string) =>
  queryOptions({
    queryKey: ['user', id],
    queryFn: ({ signal }) => client.call(api.users.get, { params: { id } }, { signal }),
  });

export const peopleLists = ['followers', 'following', 'common', 'friends'] as const;
export type PeopleList = (typeof peopleLists)[number];

export const isPeopleList = (text: string): text is PeopleList => peopleLists.some((list) => list === text);

export const peopleQuery = (id: string, list: PeopleList) =>
  infiniteQueryOptions({
    queryKey: ['people', id, list],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: 30, ...(pageParam && { cursor: pageParam }) };
      const options = { signal };
      switch (list) {
        case 'followers':
          return client.call(api.users.followers, { params: { id }, query }, options);
        case 'following':
          return client.call(api.users.following, { params: { id }, query }, options);
        case 'common':
          return client.call(api.users.commonFollowing, { params: { id }, query }, options);
        case 'friends':
          return client.call(api.users.friends, { query }, options);
      }
    },
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
