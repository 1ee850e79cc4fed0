import { ApiError } from '@hvideo/client';
import type { UserProfile, VideoCard } from '@hvideo/protocol';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Bookmark, FolderOpen, Heart, History, Lock } from 'lucide-react';
import type { ReactNode } from 'react';
import { useViewer } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { Button } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { PageSpinner } from '../../ui/spinner.tsx';
import { CoverGrid } from '../../watch/cover-grid.tsx';
import { joinPages } from '../../watch/queries.ts';
import { cardListQuery, type CardList as ListName } from './list-queries.ts';
import styles from './profile-page.module.css';

interface CardListProps {
  profile: UserProfile;
  list: ListName;
  folder?: string;
  /** A button on each cover. */
  action?: (card: VideoCard) => ReactNode;
}

/** The videos of one of somebody's lists. */
export function CardList({ profile, list, folder, action }: CardListProps) {
  const { t } = useTexts();
  const query = useInfiniteQuery(cardListQuery(profile.id, list, folder));
  const name = profile.displayName;
  if (query.error instanceof ApiError && query.error.code === 'list-private') {
    return (
      <Notice
        compact
        icon={<Lock size={26} aria-hidden />}
        title={t('lists:privateTitle')}
        text={t('lists:privateText', { name })}
      />
    );
  }
  if (query.isError && !query.data) {
    return <ErrorNotice error={query.error} busy={query.isFetching} onRetry={() => void query.refetch()} />;
  }
  if (query.isPending) return <PageSpinner />;
  const cards = joinPages(query.data.pages);
  if (cards.length === 0) return <Empty profile={profile} list={list} isFolder={folder !== undefined} />;
  const labels: Record<ListName, string> = {
    likes: t('lists:likes.label', { name }),
    favorites: t('lists:favorites.label', { name }),
    history: t('lists:history.shown', { name }),
  };
  return (
    <section aria-label={labels[list]} className={styles['videos']}>
      <CoverGrid cards={cards} {...(action && { action })} />
      {query.hasNextPage && (
        <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('actions.loadMore')}
        </Button>
      )}
    </section>
  );
}

function Empty({ profile, list, isFolder }: { profile: UserProfile; list: ListName; isFolder: boolean }) {
  const { t } = useTexts();
  const isOwn = useViewer()?.id === profile.id;
  const name = profile.displayName;
  if (isFolder) {
    return (
      <Notice
        compact
        icon={<FolderOpen size={26} aria-hidden />}
        title={t('lists:folder.empty')}
        text={t('lists:folder.emptyText')}
      />
    );
  }
  if (list === 'history') {
    return (
      <Notice
        compact
        icon={<History size={26} aria-hidden />}
        title={t('lists:history.shownEmpty')}
        text={t('lists:history.shownEmptyText', { name })}
      />
    );
  }
  const Icon = list === 'likes' ? Heart : Bookmark;
  return (
    <Notice
      compact
      icon={<Icon size={26} aria-hidden />}
      title={t(isOwn ? `lists:${list}.emptyOwn` : `lists:${list}.empty`)}
      text={isOwn ? t(`lists:${list}.emptyOwnText`) : t(`lists:${list}.emptyText`, { name })}
    />
  );
}
