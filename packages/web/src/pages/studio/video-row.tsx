import { api, type OwnVideo } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CalendarClock, Ellipsis, Film, Link2, Pencil, Trash2, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { client } from '../../app/client.ts';
import { codeText, errorText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { formatDuration, formatMoment } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { Button, buttonClass, IconButton } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/dialog.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { toast } from '../../ui/toast.tsx';
import { TranscodeLine } from '../../videos/transcode-line.tsx';
import { useTranscode } from '../../videos/use-transcode.ts';
import { copyVideoLink } from '../../watch/copy-link.ts';
import { EditDialog } from './edit-dialog.tsx';
import styles from './studio-page.module.css';

interface VideoRowProps {
  video: OwnVideo;
  /** Shows how far the making of it is, as it goes. */
  isFollowed: boolean;
}

/** One's own video: what it is, how it stands, and what can be done with it. */
export function VideoRow({ video, isFollowed }: VideoRowProps) {
  const { t } = useTexts();
  const [open, setOpen] = useState<'edit' | 'delete' | undefined>(undefined);
  const close = () => setOpen(undefined);
  const hasFailed = video.failure !== null;
  return (
    <li className={styles['row']}>
      <Cover video={video} />
      <div className={classes(styles['words'], hasFailed && styles['whole'])}>
        <h2 className={styles['title']}>
          {video.playlistUrl === null ? (
            video.title
          ) : (
            <Link to="/v/$id" params={{ id: video.id }}>
              {video.title}
            </Link>
          )}
        </h2>
        <Facts video={video} />
        <State video={video} isFollowed={isFollowed} />
        {hasFailed && (
          <div className={styles['wayOn']}>
            <Link to="/upload" className={buttonClass({ tone: 'accent', size: 'sm' })}>
              {t('upload:tryOther')}
            </Link>
            <Button
              size="sm"
              aria-label={t('upload:deleteName', { title: video.title })}
              onClick={() => setOpen('delete')}
            >
              {t('upload:delete')}
            </Button>
          </div>
        )}
      </div>
      {!hasFailed && (
        <Actions video={video} onEdit={() => setOpen('edit')} onDelete={() => setOpen('delete')} />
      )}
      {open === 'edit' && <EditDialog video={video} onClose={close} />}
      <DeleteDialog id={video.id} isOpen={open === 'delete'} onClose={close} />
    </li>
  );
}

function Cover({ video }: { video: OwnVideo }) {
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  const { coverUrl } = video;
  return (
    <div className={styles['cover']} aria-hidden>
      {coverUrl !== null && coverUrl !== brokenUrl ? (
        <img src={coverUrl} alt="" loading="lazy" onError={() => setBrokenUrl(coverUrl)} />
      ) : (
        <Film size={24} />
      )}
      {video.durationMs !== null && <span>{formatDuration(video.durationMs)}</span>}
    </div>
  );
}

function Facts({ video }: { video: OwnVideo }) {
  const { t } = useTexts();
  const language = useLanguage();
  const at = video.publishedAt ?? video.createdAt;
  return (
    <p className={styles['facts']}>
      {t(`watch:details.visibility.${video.visibility}`)} · {formatMoment(at, language)}
    </p>
  );
}

function State({ video, isFollowed }: VideoRowProps) {
  const { t } = useTexts();
  const language = useLanguage();
  if (video.takenDown) {
    return (
      <p className={styles['bad']}>
        <TriangleAlert size={16} aria-hidden />
        {t('upload:takenDown', { reason: video.takenDown.reason })}
      </p>
    );
  }
  if (video.failure) {
    return (
      <p className={styles['bad']}>
        <TriangleAlert size={16} aria-hidden />
        {codeText(video.failure.code)}
      </p>
    );
  }
  if (video.status !== 'ready') {
    return isFollowed ? (
      <Making video={video} />
    ) : (
      <p className={styles['facts']}>{t('upload:stages.queued')}</p>
    );
  }
  if (video.publishAt !== null && video.publishedAt === null) {
    return (
      <p className={styles['soon']}>
        <CalendarClock size={16} aria-hidden />
        {t('upload:scheduledFor', { time: formatMoment(video.publishAt, language) })}
      </p>
    );
  }
  return null;
}

function Making({ video }: { video: OwnVideo }) {
  const { progress, error } = useTranscode(video.id);
  const isOver = progress?.status === 'ready' || progress?.status === 'failed';
  useEffect(() => {
    if (isOver) void queryClient.invalidateQueries({ queryKey: ['studio'] });
  }, [isOver]);
  return <TranscodeLine title={video.title} progress={progress} error={error} />;
}

interface ActionsProps {
  video: OwnVideo;
  onEdit(): void;
  onDelete(): void;
}

function Actions({ video, onEdit, onDelete }: ActionsProps) {
  const { t } = useTexts();
  const { id, title } = video;
  return (
    <div className={styles['actions']}>
      <IconButton label={t('upload:editName', { title })} onClick={onEdit}>
        <Pencil size={19} aria-hidden />
      </IconButton>
      <Menu
        trigger={
          <IconButton label={t('upload:moreName', { title })}>
            <Ellipsis size={20} aria-hidden />
          </IconButton>
        }
      >
        {video.visibility !== 'private' && (
          <MenuItem icon={<Link2 size={18} aria-hidden />} onSelect={() => void copyVideoLink(id)}>
            {t('actions.copyLink')}
          </MenuItem>
        )}
        <MenuItem danger icon={<Trash2 size={18} aria-hidden />} onSelect={onDelete}>
          {t('upload:delete')}
        </MenuItem>
      </Menu>
    </div>
  );
}

interface DeleteDialogProps {
  id: string;
  isOpen: boolean;
  onClose(): void;
}

function DeleteDialog({ id, isOpen, onClose }: DeleteDialogProps) {
  const { t } = useTexts();
  const remove = useMutation({
    mutationFn: () => client.call(api.videos.delete, { params: { id } }),
    onSuccess: () => {
      toast(t('upload:deleted'));
      for (const name of ['studio', 'videos', 'feed', 'user']) {
        void queryClient.invalidateQueries({ queryKey: [name] });
      }
    },
    onError: (error) => toast(errorText(error), 'error'),
    onSettled: onClose,
  });
  return (
    <ConfirmDialog
      open={isOpen}
      onOpenChange={(open) => !open && onClose()}
      title={t('upload:deleteTitle')}
      description={t('upload:deleteText')}
      confirmLabel={t('upload:delete')}
      danger
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    />
  );
}
