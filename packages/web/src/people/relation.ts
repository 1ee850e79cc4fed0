import { api } from '@hvideo/protocol';
import type { QueryKey } from '@tanstack/react-query';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { queryClient } from '../app/query.ts';
import { toast } from '../ui/toast.tsx';
import { patchPerson, type RelationAction } from './patch-person.ts';

/** The queries that name people. */
const peopleKeys = new Set(['user', 'people', 'feed', 'video', 'videos', 'notifications']);
/** What may look wholly different afterwards, and is read again. */
const staleAfter: Record<RelationAction, readonly QueryKey[]> = {
  follow: [['feed', 'following'], ['people']],
  unfollow: [['feed', 'following'], ['people']],
  mute: [['feed']],
  unmute: [['feed']],
  block: [['feed'], ['people'], ['videos'], ['user']],
  unblock: [['feed'], ['people'], ['videos'], ['user']],
};

/** Shows the change at once, tells the server, and takes it back if the server refuses. Answers whether it holds. */
export async function changeRelation(userId: string, action: RelationAction): Promise<boolean> {
  const isAffected = {
    predicate: ({ queryKey }: { queryKey: QueryKey }) => peopleKeys.has(String(queryKey[0])),
  };
  // An answer under way would show the old state again.
  await queryClient.cancelQueries(isAffected);
  const before = queryClient.getQueriesData<unknown>(isAffected);
  queryClient.setQueriesData<unknown>(isAffected, (data: unknown) => patchPerson(data, userId, action));
  try {
    await client.call(api.users[action], { params: { id: userId } });
  } catch (error) {
    for (const [key, data] of before) queryClient.setQueryData(key, data);
    toast(errorText(error), 'error');
    return false;
  }
  for (const queryKey of staleAfter[action]) {
    // The feed that is being watched keeps its order; it is read again when it is opened next.
    void queryClient.invalidateQueries({ queryKey, refetchType: queryKey[0] === 'feed' ? 'none' : 'active' });
  }
  return true;
}
