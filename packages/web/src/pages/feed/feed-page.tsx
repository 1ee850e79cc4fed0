import { ApiError } from '@hvideo/client';
import type { VideoCard } from '@hvideo/protocol';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Navigate } from '@tanstack/react-router';
import { Clapperboard, UsersRound } from 'lucide-react';
import { useMemo } from 'react';
import { useViewer, viewerQuery } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useTitle } from '../../lib/use-title.ts';
import { buttonClass } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { type FeedKind, feedQuery, joinPages } from '../../watch/queries.ts';
import styles from './feed-page.module.css';
import { FeedTabs } from './feed-tabs.tsx';
import { Reel } from './reel.tsx';
import { isTrimmed, type Pages, trimmed } from './trim.ts';

interface FeedPageProps {
  kind: FeedKind;
  /** A cursor to begin with, in place of the top. */
  from?: string | undefined;
}

export function FeedPage({ kind, from }: FeedPageProps) {
  const { t } = useTexts();
  const viewer = useViewer();
  useTitle(kind === 'following' ? t('watch:feed.following') : undefined);
  return (
    <div className={styles['page']}>
      <h1 className="visually-hidden">{t(kind === 'latest' ? 'watch:feed.home' : 'watch:feed.following')}</h1>
      <FeedTabs />
      {kind === 'following' && viewer === null ? <SignInNotice /> : <Feed kind={kind} from={from} />}
    </div>
  );
}

function Feed({ kind, from }: FeedPageProps) {
  const { t } = useTexts();
  const queries = useQueryClient();
  const viewer = useQuery(viewerQuery);
  const query = useInfiniteQuery({
    ...feedQuery(kind, from),
    enabled: kind === 'latest' || viewer.data != null,
  });
  const cards: readonly VideoCard[] = useMemo(() => joinPages(query.data?.pages ?? []), [query.data]);
  const error = query.error ?? (kind === 'following' ? viewer.error : null);
  // A link that is no longer any good, or leads below the last video, leads to the top.
  const isLost = from !== undefined && (isInvalidCursor(error) || (query.isSuccess && cards.length === 0));
  if (isLost) return <Navigate to="/following" search={{}} replace />;
  if (error && cards.length === 0) {
    const isBusy = query.isFetching || viewer.isFetching;
    const retry = () => void (query.error ? query.refetch() : viewer.refetch());
    return (
      <div className={styles['stage']}>
        <ErrorNotice
          tone="over"
          title={t('watch:feed.errorTitle')}
          error={error}
          busy={isBusy}
          onRetry={retry}
        />
      </div>
    );
  }
  if (!query.data) return <FeedSkeleton />;
  if (cards.length === 0) return <EmptyNotice kind={kind} />;
  return (
    <Reel
      kind={kind}
      from={from}
      position={query.data.pages[0]?.position}
      cards={cards}
      hasMore={query.hasNextPage}
      isLoadingMore={query.isFetchingNextPage}
      moreError={query.isFetchNextPageError ? query.error : undefined}
      isTrimmed={isTrimmed(query.data, from)}
      letGo={(active) => queries.setQueryData(feedQuery(kind, from).queryKey, trimmedAt(active))}
      loadMore={() => void query.fetchNextPage()}
      startOver={() => void queries.resetQueries({ queryKey: feedQuery(kind, from).queryKey })}
    />
  );
}

const trimmedAt = (active: number) => (data: Pages | undefined) => data && trimmed(data, active);

const isInvalidCursor = (error: unknown) => error instanceof ApiError && error.code === 'invalid-cursor';

function FeedSkeleton() {
  const { t } = useTexts();
  return (
    <div className={styles['stage']} role="status" aria-label={t('watch:feed.loading')}>
      <div className={styles['skeleton']}>
        <i className={styles['bone']} />
        <i className={styles['bone']} />
        <i className={styles['bone']} />
      </div>
    </div>
  );
}

function EmptyNotice({ kind }: { kind: FeedKind }) {
  const { t } = useTexts();
  const isLatest = kind === 'latest';
  return (
    <div className={styles['stage']}>
      <Notice
        tone="over"
        icon={isLatest ? <Clapperboard size={32} aria-hidden /> : <UsersRound size={32} aria-hidden />}
        title={t(isLatest ? 'watch:feed.emptyTitle' : 'watch:feed.emptyFollowingTitle')}
        text={t(isLatest ? 'watch:feed.emptyText' : 'watch:feed.emptyFollowingText')}
        actions={
          <Link to={isLatest ? '/upload' : '/'} className={buttonClass({ tone: 'accent' })}>
            {t(isLatest ? 'watch:feed.emptyAction' : 'watch:feed.emptyFollowingAction')}
          </Link>
        }
      />
    </div>
  );
}

function SignInNotice() {
  const { t } = useTexts();
  return (
    <div className={styles['stage']}>
      <Notice
        tone="over"
        icon={<UsersRound size={32} aria-hidden />}
        title={t('watch:feed.signInTitle')}
        text={t('watch:feed.signInText')}
        actions={
          <>
            <Link to="/login" search={{ next: '/following' }} className={buttonClass({ tone: 'accent' })}>
              {t('nav.login')}
            </Link>
            <Link to="/register" search={{ next: '/following' }} className={buttonClass({ tone: 'over' })}>
              {t('nav.register')}
            </Link>
          </>
        }
      />
    </div>
  );
}
