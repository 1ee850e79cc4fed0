import { api, type OwnVideo } from '@hvideo/protocol';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Clapperboard, Plus } from 'lucide-react';
import { client } from '../../app/client.ts';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import styles from './studio-page.module.css';
import { VideoRow } from './video-row.tsx';

export function StudioPage() {
  const { t } = useTexts();
  useTitle(t('upload:studioTitle'));
  return (
    <RequireViewer>
      {() => (
        <Page
          width="wide"
          title={t('upload:studioTitle')}
          text={t('upload:studioText')}
          actions={
            <Link to="/upload" className={classes(buttonClass({ tone: 'accent' }), styles['upload'])}>
              <Plus size={18} aria-hidden />
              {t('nav.upload')}
            </Link>
          }
        >
          <OwnVideos />
        </Page>
      )}
    </RequireViewer>
  );
}

/** While something is being made the list is read again this often. */
const refreshMs = 3000;
/** Rows that follow their video event by event; a browser opens six connections to one server at most. */
const followed = 2;

function OwnVideos() {
  const { t } = useTexts();
  const query = useInfiniteQuery({
    queryKey: ['studio'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.videos.own,
        { query: { limit: 30, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some(isInTheMaking)) ? refreshMs : false,
  });
  if (query.isPending) return <Waiting />;
  if (query.isError && !query.data) {
    return <ErrorNotice error={query.error} busy={query.isFetching} onRetry={() => void query.refetch()} />;
  }
  const videos = query.data.pages.flatMap((page) => page.items);
  if (videos.length === 0) return <Empty />;
  // The oldest is made first.
  const making = videos.filter(isInTheMaking).slice(-followed);
  return (
    <>
      <ul className={styles['list']}>
        {videos.map((video) => (
          <VideoRow key={video.id} video={video} isFollowed={making.includes(video)} />
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

const isInTheMaking = (video: OwnVideo) => video.status === 'processing' || video.status === 'playable';

function Waiting() {
  const { t } = useTexts();
  return (
    <div className={styles['list']} role="status" aria-label={t('status.loading')}>
      <Skeleton height="7.5rem" />
      <Skeleton height="7.5rem" />
      <Skeleton height="7.5rem" />
    </div>
  );
}

function Empty() {
  const { t } = useTexts();
  return (
    <Notice
      icon={<Clapperboard size={32} aria-hidden />}
      title={t('upload:studioEmpty')}
      text={t('upload:studioEmptyText')}
      actions={
        <Link to="/upload" className={buttonClass({ tone: 'accent' })}>
          {t('watch:feed.emptyAction')}
        </Link>
      }
    />
  );
}
