import { api, type OwnVideo } from '@hvideo/protocol';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Clapperboard, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { codeText, errorText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatDuration, formatMoment } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass, IconButton } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/dialog.tsx';
import { Card, formStyles } from '../../ui/form.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { PageSpinner } from '../../ui/spinner.tsx';
import { toast } from '../../ui/toast.tsx';
import { EditDialog } from './edit-dialog.tsx';
import styles from './studio-page.module.css';

export function StudioPage() {
  const { t } = useTexts();
  useTitle(t('upload:studioTitle'));
  return (
    <RequireViewer>
      {() => (
        <Page
          title={t('upload:studioTitle')}
          actions={
            <Link to="/upload" className={buttonClass({ tone: 'accent' })}>
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
  if (query.isPending) return <PageSpinner />;
  if (query.isError && !query.data)
    return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />;
  const videos = query.data.pages.flatMap((page) => page.items);
  if (videos.length === 0) {
    return <Notice compact icon={<Clapperboard size={26} aria-hidden />} title={t('upload:studioEmpty')} />;
  }
  return (
    <Card>
      <ul className={formStyles['stack']}>
        {videos.map((video) => (
          <Row key={video.id} video={video} />
        ))}
      </ul>
      {query.hasNextPage && (
        <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('actions.loadMore')}
        </Button>
      )}
    </Card>
  );
}

const isInTheMaking = (video: OwnVideo) => video.status === 'processing' || video.status === 'playable';

function Row({ video }: { video: OwnVideo }) {
  const { t } = useTexts();
  const [isAsking, setAsking] = useState(false);
  const [isEditing, setEditing] = useState(false);
  const remove = useMutation({
    mutationFn: () => client.call(api.videos.delete, { params: { id: video.id } }),
    onSuccess: () => {
      toast(t('upload:deleted'));
      for (const name of ['studio', 'videos', 'feed', 'user']) {
        void queryClient.invalidateQueries({ queryKey: [name] });
      }
    },
    onError: (error) => toast(errorText(error), 'error'),
    onSettled: () => setAsking(false),
  });
  return (
    <li className={styles['row']}>
      <Link to="/v/$id" params={{ id: video.id }} className={styles['cover']} tabIndex={-1} aria-hidden>
        {video.coverUrl && <img src={video.coverUrl} alt="" loading="lazy" />}
      </Link>
      <div className={styles['words']}>
        <Link to="/v/$id" params={{ id: video.id }}>
          <b>{video.title}</b>
        </Link>
        <p className={formStyles['muted']}>
          <State video={video} />
        </p>
      </div>
      <IconButton label={t('upload:editName', { title: video.title })} onClick={() => setEditing(true)}>
        <Pencil size={19} aria-hidden />
      </IconButton>
      {isEditing && <EditDialog video={video} onClose={() => setEditing(false)} />}
      <IconButton label={t('upload:deleteName', { title: video.title })} onClick={() => setAsking(true)}>
        <Trash2 size={19} aria-hidden />
      </IconButton>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={t('upload:deleteTitle')}
        description={t('upload:deleteText')}
        confirmLabel={t('upload:delete')}
        danger
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
    </li>
  );
}

function State({ video }: { video: OwnVideo }) {
  const { t } = useTexts();
  const language = useLanguage();
  if (video.takenDown) return t('upload:takenDown', { reason: video.takenDown.reason });
  if (video.failure) return codeText(video.failure.code);
  if (video.status === 'processing') return t('watch:profile.processing');
  const parts = [t(`watch:details.visibility.${video.visibility}`)];
  if (video.durationMs !== null) parts.push(formatDuration(video.durationMs));
  if (video.publishAt !== null && video.publishedAt === null) {
    parts.push(t('upload:scheduledFor', { time: formatMoment(video.publishAt, language) }));
  } else if (video.publishedAt !== null) parts.push(formatMoment(video.publishedAt, language));
  return parts.join(' · ');
}
