import type { Relation, UserProfile } from '@hvideo/protocol';

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
