import type { ConversationSnapshot } from '@hvideo/client';
import type { User } from '@hvideo/protocol';
import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { profileQuery } from '../people/queries.ts';
import type { KnownPeople } from './names.ts';

const mostLookedUp = 40;

/** Everybody who is named in what is shown: the members, and those who have left, who are looked up. */
export function usePeople(
  { conversation, members, messages }: ConversationSnapshot,
  viewer: User,
): KnownPeople {
  const known = useMemo(() => {
    const all = [viewer, ...(conversation?.others ?? []), ...members.map(({ user }) => user)];
    return new Map(all.map((user) => [user.id, user]));
  }, [viewer, conversation?.others, members]);
  const missing = useMemo(() => {
    const ids = new Set(messages.flatMap(({ senderId, content }) => [senderId, ...namedIn(content)]));
    return [...ids].filter((id) => !known.has(id)).slice(0, mostLookedUp);
  }, [messages, known]);
  const found = useQueries({
    queries: missing.map((id) => ({ ...profileQuery(id), staleTime: 10 * 60_000 })),
    combine: (queries) => queries.flatMap(({ data }) => (data ? [data] : [])),
  });
  return useMemo(() => new Map([...known, ...found.map((user) => [user.id, user] as const)]), [known, found]);
}

function namedIn(content: ConversationSnapshot['messages'][number]['content']): readonly string[] {
  return content.type === 'system' ? [content.actorId, ...(content.accountIds ?? []).slice(0, 5)] : [];
}
