import { ApiError } from '@hvideo/client';
import { type Account, api } from '@hvideo/protocol';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { client } from './client.ts';
import { queryClient } from './query.ts';

export const viewerQuery = queryOptions({
  queryKey: ['viewer'],
  queryFn: async ({ signal }): Promise<Account | null> => {
    if (!(await client.isSignedIn())) return null;
    try {
      return await client.call(api.me.get, {}, { signal });
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.code === 'suspended')) return null;
      throw error;
    }
  },
  staleTime: 5 * 60_000,
  gcTime: Number.POSITIVE_INFINITY,
});

/** The signed-in account; null for a visitor; undefined while that is not known yet. */
export function useViewer(): Account | null | undefined {
  return useQuery(viewerQuery).data;
}

export const instanceQuery = queryOptions({
  queryKey: ['instance'],
  queryFn: ({ signal }) => client.call(api.instance.get, {}, { signal }),
  staleTime: 5 * 60_000,
});

export const useInstance = () => useQuery(instanceQuery).data;

/** Call after signing in, up or out: what was read as somebody else is forgotten. */
export function changeViewer(viewer: Account | null): void {
  queryClient.removeQueries({
    predicate: ({ queryKey }) => queryKey[0] !== 'viewer' && queryKey[0] !== 'instance',
  });
  queryClient.setQueryData(viewerQuery.queryKey, viewer);
}

/** Call after a change of one's own profile. */
export function updateViewer(viewer: Account): void {
  queryClient.setQueryData(viewerQuery.queryKey, viewer);
  void queryClient.invalidateQueries({ queryKey: ['user'] });
}

/** `forget` removes what this device holds of the account. */
export async function signOut(forget: () => Promise<void>): Promise<void> {
  await client.call(api.auth.logout);
  try {
    await forget();
  } finally {
    changeViewer(null);
  }
}
