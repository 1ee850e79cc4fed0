import type { User } from '@hvideo/protocol';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Check, UserRoundPlus, X } from 'lucide-react';
import { useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { peopleQuery } from '../people/queries.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { ErrorNotice, Notice } from '../ui/notice.tsx';
import { PersonNames } from '../ui/person-names.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { matchesName } from './match-name.ts';
import styles from './people-picker.module.css';

interface PeoplePickerProps {
  viewerId: string;
  chosen: readonly User[];
  onChange(chosen: readonly User[]): void;
  /** People who are in already. */
  without?: ReadonlySet<string>;
}

/** Chooses among friends and people whom the viewer follows. */
export function PeoplePicker({ viewerId, chosen, onChange, without }: PeoplePickerProps) {
  const { t } = useTexts();
  const [wanted, setWanted] = useState('');
  const toggle = (user: User) => {
    const isChosen = chosen.some(({ id }) => id === user.id);
    onChange(isChosen ? chosen.filter(({ id }) => id !== user.id) : [...chosen, user]);
    setWanted('');
  };
  return (
    <div className={styles['picker']}>
      {chosen.length > 0 && (
        <ul className={styles['chosen']} aria-label={t('chat:picker.chosen')}>
          {chosen.map((user) => (
            <li key={user.id}>
              <button type="button" onClick={() => toggle(user)}>
                <Avatar user={user} size={24} />
                <span dir="auto">{user.displayName}</span>
                <span className="visually-hidden">{t('chat:picker.remove')}</span>
                <X size={14} aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
      <SearchField
        value={wanted}
        label={t('chat:picker.search')}
        placeholder={t('chat:picker.searchShort')}
        onChange={setWanted}
      />
      <People
        viewerId={viewerId}
        wanted={wanted}
        chosenIds={new Set(chosen.map(({ id }) => id))}
        without={without ?? new Set()}
        onToggle={toggle}
      />
    </div>
  );
}

interface PeopleProps {
  viewerId: string;
  wanted: string;
  chosenIds: ReadonlySet<string>;
  without: ReadonlySet<string>;
  onToggle(user: User): void;
}

function People({ viewerId, wanted, chosenIds, without, onToggle }: PeopleProps) {
  const { t } = useTexts();
  // Friends are among those whom one follows; they are read too, to stand first.
  const friends = useInfiniteQuery(peopleQuery(viewerId, 'friends'));
  const following = useInfiniteQuery(peopleQuery(viewerId, 'following'));
  if (friends.isPending || following.isPending) return <Loading />;
  if (!friends.data || !following.data) {
    const query = friends.data ? following : friends;
    return <ErrorNotice compact error={query.error} onRetry={() => void query.refetch()} />;
  }
  const all = [...friends.data.pages, ...following.data.pages].flatMap(({ items }) => items);
  const people = [...new Map(all.map((user) => [user.id, user])).values()].filter(
    ({ id }) => !without.has(id),
  );
  const found = people.filter((user) => matchesName(user, wanted));
  const more = [friends, following].filter(({ hasNextPage }) => hasNextPage);
  const isNobody = people.length === 0 && more.length === 0;
  return (
    <div className={styles['people']}>
      {found.length === 0 && (
        <Notice
          compact
          icon={<UserRoundPlus size={24} aria-hidden />}
          title={t(isNobody ? 'chat:picker.nobody' : 'chat:picker.none')}
          text={t(isNobody ? 'chat:picker.nobodyText' : 'chat:picker.noneText')}
          heading="h3"
        />
      )}
      <ul aria-label={t('chat:picker.people')}>
        {found.map((user) => {
          const isChosen = chosenIds.has(user.id);
          return (
            <li key={user.id}>
              <button
                type="button"
                className={styles['person']}
                aria-pressed={isChosen}
                onClick={() => onToggle(user)}
              >
                <Avatar user={user} size={42} />
                <PersonNames name={user.displayName} note={`@${user.username}`} />
                <span className={classes(styles['mark'], isChosen && styles['on'])}>
                  <Check size={15} strokeWidth={3.2} aria-hidden />
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {more.length > 0 && (
        <Button
          block
          size="sm"
          busy={more.some(({ isFetchingNextPage }) => isFetchingNextPage)}
          onClick={() => {
            for (const query of more) void query.fetchNextPage();
          }}
        >
          {t('chat:picker.more')}
        </Button>
      )}
    </div>
  );
}

function Loading() {
  const { t } = useTexts();
  return (
    <div role="status" className={styles['loading']}>
      <span className="visually-hidden">{t('status.loading')}</span>
      <Skeleton height="3rem" />
      <Skeleton height="3rem" />
      <Skeleton height="3rem" />
    </div>
  );
}
