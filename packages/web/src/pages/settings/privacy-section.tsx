import { api, type UserListItem } from '@hvideo/protocol';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { client } from '../../app/client.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { changeRelation } from '../../people/relation.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, formStyles } from '../../ui/form.tsx';
import { PagedList } from '../../ui/paged-list.tsx';
import { ListsCard } from './lists-card.tsx';

type Kind = 'muted' | 'blocked';

export function PrivacySection() {
  return (
    <>
      <ListsCard />
      <PeopleCard kind="muted" />
      <PeopleCard kind="blocked" />
    </>
  );
}

function PeopleCard({ kind }: { kind: Kind }) {
  const { t } = useTexts();
  const query = useInfiniteQuery({
    queryKey: ['people', 'me', kind],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.users[kind],
        { query: { limit: 30, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
  return (
    <Card title={t(`account:${kind}Title`)}>
      <p className={formStyles['muted']}>{t(`account:${kind}Text`)}</p>
      <PagedList query={query} empty={<p className={formStyles['empty']}>{t('account:nobody')}</p>}>
        {(person) => <Person key={person.id} person={person} kind={kind} />}
      </PagedList>
    </Card>
  );
}

function Person({ person, kind }: { person: UserListItem; kind: Kind }) {
  const { t } = useTexts();
  const end = useMutation({
    mutationFn: () => changeRelation(person.id, kind === 'muted' ? 'unmute' : 'unblock'),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['people', 'me'] }),
  });
  const text = t(kind === 'muted' ? 'watch:relation.unmute' : 'watch:relation.unblock');
  return (
    <li className={formStyles['entry']}>
      <Avatar user={person} size={44} />
      <Link to="/$handle" params={{ handle: `@${person.username}` }} className={formStyles['grow']}>
        <b>{person.displayName}</b>
        <p className={formStyles['muted']}>@{person.username}</p>
      </Link>
      <Button
        size="sm"
        busy={end.isPending}
        aria-label={`${text}: ${person.displayName}`}
        onClick={() => end.mutate()}
      >
        {text}
      </Button>
    </li>
  );
}
