import { api } from '@hvideo/protocol';
import { infiniteQueryOptions } from '@tanstack/react-query';
import { client } from '../app/client.ts';

export const membersQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['chat', 'members', id],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.conversations.members,
        { params: { id }, query: { limit: 100, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    staleTime: 0,
  });

export const addMembers = (id: string, memberIds: string[]) =>
  client.call(api.conversations.add, { params: { id }, body: { memberIds } });

export const removeMember = (id: string, userId: string) =>
  client.call(api.conversations.remove, { params: { id, userId } });

export const renameGroup = (id: string, title: string) =>
  client.call(api.conversations.rename, { params: { id }, body: { title } });
