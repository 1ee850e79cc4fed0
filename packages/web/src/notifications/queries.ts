import { api, type NotificationFilter } from '@hvideo/protocol';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { client } from '../app/client.ts';
import { queryClient } from '../app/query.ts';

const pollMs = 30_000;

export const notificationsQuery = (kind: NotificationFilter | undefined) =>
  infiniteQueryOptions({
    queryKey: ['notifications', 'list', kind ?? 'all'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.notifications.list,
        { query: { limit: 30, ...(kind && { kind }), ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    staleTime: 0,
  });

/** Asked for again and again, while somebody looks at the page. */
export const unreadQuery = queryOptions({
  queryKey: ['notifications', 'unread'],
  queryFn: ({ signal }) => client.call(api.notifications.unread, {}, { signal }),
  refetchInterval: pollMs,
  refetchOnWindowFocus: true,
});

/** What came after the position that was seen stays unread. */
export async function markRead(upTo: string): Promise<void> {
  await client.call(api.notifications.read, { body: { upTo } });
  await queryClient.invalidateQueries({ queryKey: unreadQuery.queryKey });
}
