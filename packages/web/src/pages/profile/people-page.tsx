import type { UserListItem } from '@hvideo/protocol';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ArrowLeft, UsersRound } from 'lucide-react';
import { isNotFound } from '../../app/query.ts';
import { useViewer } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useTitle } from '../../lib/use-title.ts';
import { FollowButton } from '../../people/follow-button.tsx';
import { isPeopleList, type PeopleList, peopleQuery, profileQuery } from '../../people/queries.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { PageSpinner } from '../../ui/spinner.tsx';
import { NotFoundPage } from '../not-found/not-found-page.tsx';
import styles from './people-page.module.css';

/** Followers and the like of one person, each list at its own address. */
export function PeoplePage() {
  const { t } = useTexts();
  const { handle, list } = useParams({ from: '/$handle/people/$list' });
  const viewer = useViewer();
  const profile = useQuery(profileQuery(handle));
  const name = profile.data?.displayName;
  useTitle(name);
  if (!isPeopleList(list)) return <NotFoundPage />;
  if (isNotFound(profile.error)) {
    return <NotFoundPage title={t('watch:profile.notFound')} text={t('watch:profile.notFoundText')} />;
  }
  const isOwn = viewer != null && `@${viewer.username}` === handle.toLowerCase();
  const lists: PeopleList[] = ['followers', 'following'];
  if (isOwn) lists.push('friends');
  else if (viewer) lists.push('common');
  const labels: Record<PeopleList, string> = {
    followers: t('watch:profile.followersTab'),
    following: t('watch:profile.followingTab'),
    friends: t('watch:profile.friends'),
    common: t('watch:profile.common'),
  };
  return (
    <div className={styles['page']}>
      <header className={styles['header']}>
        <Link to="/$handle" params={{ handle }} className={styles['back']} aria-label={t('actions.back')}>
          <ArrowLeft aria-hidden />
        </Link>
        <h1>{name ?? handle}</h1>
      </header>
      <nav className={styles['tabs']} aria-label={t('watch:profile.tabs', { name: name ?? handle })}>
        {lists.map((entry) => (
          <Link
            key={entry}
            to="/$handle/people/$list"
            params={{ handle, list: entry }}
            replace
            className={styles['tab']}
            activeProps={{ className: styles['active'] }}
          >
            {labels[entry]}
          </Link>
        ))}
      </nav>
      <People key={list} handle={handle} list={list} />
    </div>
  );
}

function People({ handle, list }: { handle: string; list: PeopleList }) {
  const { t } = useTexts();
  const query = useInfiniteQuery(peopleQuery(handle, list));
  if (query.isPending) return <PageSpinner />;
  if (query.isError && !query.data)
    return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />;
  const people = query.data.pages.flatMap((page) => page.items);
  if (people.length === 0) {
    return <Notice compact icon={<UsersRound size={26} aria-hidden />} title={t('watch:profile.noPeople')} />;
  }
  return (
    <>
      <ul className={styles['list']}>
        {people.map((person) => (
          <Person key={person.id} person={person} />
        ))}
      </ul>
      {query.hasNextPage && (
        <Button block busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('actions.loadMore')}
        </Button>
      )}
    </>
  );
}

function Person({ person }: { person: UserListItem }) {
  return (
    <li className={styles['person']}>
      <Link to="/$handle" params={{ handle: `@${person.username}` }}>
        <Avatar user={person} size={52} />
        <span>
          <strong>{person.displayName}</strong>
          <small>@{person.username}</small>
          {person.bio && <small className={styles['bio']}>{person.bio}</small>}
        </span>
      </Link>
      {!person.relation?.self && !person.relation?.blocked && (
        <FollowButton
          user={person}
          following={person.relation?.following ?? false}
          followedBy={person.relation?.followedBy ?? false}
        />
      )}
    </li>
  );
}
