import { api } from '@hvideo/protocol';
import { queryOptions } from '@tanstack/react-query';
import { client } from '../app/client.ts';

const pollMs = 30_000;

/** Asked for again and again, until the chat itself runs and tells it. */
export const unreadChatsQuery = queryOptions({
  queryKey: ['chat', 'unread'],
  queryFn: ({ signal }) => client.call(api.conversations.unread, {}, { signal }),
  refetchInterval: pollMs,
  refetchOnWindowFocus: true,
});
