import type { Notification, NotificationFilter } from '@hvideo/protocol';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Bell } from 'lucide-react';
import { useEffect, useState } from 'react';
import { errorText } from '../../app/errors.ts';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { useTexts } from '../../i18n/use-texts.ts';
import { useNow } from '../../lib/use-now.ts';
import { useTitle } from '../../lib/use-title.ts';
import { markRead, notificationsQuery, unreadQuery } from '../../notifications/queries.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Segments } from '../../ui/segments.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { toast } from '../../ui/toast.tsx';
import { NotificationRow } from './notification-row.tsx';
import styles from './notifications-page.module.css';

type Filter = NotificationFilter | 'all';
const filters = ['all', 'comments', 'likes', 'follows'] as const satisfies Filter[];

export function NotificationsPage() {
  const { t } = useTexts();
  useTitle(t('notifications:title'));
  return <RequireViewer>{() => <Body />}</RequireViewer>;
}

function Body() {
  const { t } = useTexts();
  const [filter, setFilter] = useState<Filter>('all');
  return (
    <Page title={t('notifications:title')}>
      <div className={styles['filter']}>
        <Segments<Filter>
          block
          label={t('notifications:filter')}
          value={filter}
          onChange={setFilter}
          options={filters.map((value) => ({ value, label: t(`notifications:${value}`) }))}
        />
      </div>
      <List key={filter} filter={filter} onShowAll={() => setFilter('all')} />
    </Page>
  );
}

function List({ filter, onShowAll }: { filter: Filter; onShowAll: () => void }) {
  const { t } = useTexts();
  const query = useInfiniteQuery(notificationsQuery(filter === 'all' ? undefined : filter));
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const nowMs = useNow();
  useFollow(query);
  useMarkRead(filter === 'all' ? items : []);
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data)
    return <ErrorNotice error={query.error} busy={query.isFetching} onRetry={() => void query.refetch()} />;
  if (items.length === 0) return <Empty filter={filter} onShowAll={onShowAll} />;
  return (
    <>
      <ul className={styles['rows']}>
        {items.map((item) => (
          <NotificationRow key={item.id} notification={item} nowMs={nowMs} />
        ))}
      </ul>
      {query.isFetchNextPageError && <ErrorNotice compact error={query.error} />}
      {query.hasNextPage && (
        <Button block busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('actions.loadMore')}
        </Button>
      )}
    </>
  );
}

/** A count so much younger than the list tells of what the list does not hold yet. */
const youngerMs = 5_000;

/** What comes while the page is open is shown when the bell tells of it. */
function useFollow(list: { dataUpdatedAt: number; refetch: () => unknown }): void {
  const { data, dataUpdatedAt } = useQuery(unreadQuery);
  const { refetch } = list;
  const isBehind = list.dataUpdatedAt > 0 && dataUpdatedAt - list.dataUpdatedAt > youngerMs;
  const hasNews = isBehind && (data?.count ?? 0) > 0;
  useEffect(() => {
    if (hasNews) void refetch();
  }, [hasNews, refetch]);
}

/** Seen is read: the marks stay for as long as one looks at them. */
function useMarkRead(items: readonly Notification[]): void {
  const upTo = items.some(({ read }) => !read) ? items[0]?.position : undefined;
  useEffect(() => {
    if (upTo === undefined) return;
    markRead(upTo).catch((error: unknown) => toast(errorText(error), 'error'));
  }, [upTo]);
}

const loadingWidths = ['62%', '48%', '56%', '44%', '66%', '52%'];

function Loading() {
  const { t } = useTexts();
  return (
    <div role="status" className={styles['rows']}>
      <span className="visually-hidden">{t('notifications:loading')}</span>
      {loadingWidths.map((width) => (
        <div key={width} className={styles['loading']} aria-hidden>
          <Skeleton width="3.125rem" height="3.125rem" round />
          <span>
            <Skeleton width={width} />
            <Skeleton width="24%" height="0.8em" />
          </span>
          <Skeleton width="3rem" height="3.75rem" />
        </div>
      ))}
    </div>
  );
}

function Empty({ filter, onShowAll }: { filter: Filter; onShowAll: () => void }) {
  const { t } = useTexts();
  const icon = <Bell size={26} aria-hidden />;
  if (filter !== 'all') {
    return (
      <Notice
        compact
        icon={icon}
        title={t('notifications:emptyFilter')}
        text={t('notifications:emptyFilterText')}
        actions={<Button onClick={onShowAll}>{t('notifications:showAll')}</Button>}
      />
    );
  }
  return (
    <Notice
      compact
      icon={icon}
      title={t('notifications:empty')}
      text={t('notifications:emptyText')}
      actions={
        <Link to="/upload" className={buttonClass({ tone: 'accent' })}>
          {t('notifications:upload')}
        </Link>
      }
    />
  );
}
