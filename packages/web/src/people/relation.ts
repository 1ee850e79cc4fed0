import { api, type Relation, type UserProfile } from '@hvideo/protocol';
import type { QueryKey } from '@tanstack/react-query';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { queryClient } from '../app/query.ts';
import { toast } from '../ui/toast.tsx';

export type RelationAction = 'follow' | 'unfollow' | 'mute' | 'unmute' | 'block' | 'unblock';

/** What a relation becomes by an action: the server does the same. */
export function applyAction(relation: Relation, action: RelationAction): Relation {
  switch (action) {
    case 'follow':
      return { ...relation, following: true };
    case 'unfollow':
      return { ...relation, following: false };
    case 'mute':
      return { ...relation, muted: true };
    case 'unmute':
      return { ...relation, muted: false };
    case 'block':
      return { ...relation, blocked: true, following: false, followedBy: false };
    case 'unblock':
      return { ...relation, blocked: false };
  }
}

function applyToProfile(profile: UserProfile, action: RelationAction): UserProfile {
  if (profile.relation === null) return profile;
  const relation = applyAction(profile.relation, action);
  const gained = Number(relation.following) - Number(profile.relation.following);
  const followers = Math.max(0, profile.counts.followers + gained);
  return { ...profile, relation, counts: { ...profile.counts, followers } };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The same data with the action applied wherever the person appears: profiles, lists, cards, details. Everything in the
 * cache has one of the wire's shapes, so one walk finds them all; what does not change keeps its identity.
 */
export function patchPerson(data: unknown, userId: string, action: RelationAction): unknown {
  if (Array.isArray(data)) {
    const next = data.map((item) => patchPerson(item, userId, action));
    return next.some((item, at) => item !== data[at]) ? next : data;
  }
  if (!isRecord(data)) return data;
  const patched = patchRecord(data, userId, action);
  let changed = patched !== data;
  const next = Object.fromEntries(
    Object.entries(patched).map(([key, value]) => {
      const part = key === 'relation' || key === 'viewer' ? value : patchPerson(value, userId, action);
      changed ||= part !== value;
      return [key, part];
    }),
  );
  return changed ? next : data;
}

type Follows = { following: boolean };
const follows = (value: unknown): value is Follows =>
  isRecord(value) && typeof value['following'] === 'boolean';
const isRelation = (value: unknown): value is Relation => follows(value) && 'muted' in value;
const isProfile = (value: unknown): value is UserProfile => isRecord(value) && isRecord(value['counts']);

function patchRecord(data: Record<string, unknown>, userId: string, action: RelationAction) {
  const author = isRecord(data['author']) ? data['author']['id'] : undefined;
  if (data['id'] === userId && isRelation(data['relation'])) {
    return isProfile(data)
      ? applyToProfile(data, action)
      : { ...data, relation: applyAction(data['relation'], action) };
  }
  if (author !== userId) return data;
  const following =
    action === 'follow' ? true : action === 'unfollow' || action === 'block' ? false : undefined;
  return {
    ...data,
    ...(isRelation(data['relation']) && { relation: applyAction(data['relation'], action) }),
    ...(follows(data['viewer']) && following !== undefined && { viewer: { ...data['viewer'], following } }),
  };
}

/** The queries that name people. */
const peopleKeys = new Set(['user', 'people', 'feed', 'video', 'videos']);
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
