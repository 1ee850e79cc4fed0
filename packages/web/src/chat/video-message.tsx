import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Film, Play } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import { formatDuration } from '../lib/format.ts';
import { CoverImage } from '../ui/cover-image.tsx';
import { videoQuery } from '../watch/queries.ts';
import styles from './message-row.module.css';

/** A clip that was sent: its cover, which leads to it. It has its full size from the start. */
export function VideoMessage({ videoId }: { videoId: string }) {
  const { t } = useTexts();
  const { data, isError } = useQuery(videoQuery(videoId));
  const card = data?.video;
  const icon = <Film size={30} aria-hidden />;
  const cover = (
    <span className={styles['cover']}>
      {card ? <CoverImage url={card.coverUrl} fallback={icon} /> : icon}
      {card && (
        <>
          <span className={styles['play']}>
            <Play size={22} fill="currentColor" aria-hidden />
          </span>
          {card.durationMs !== null && (
            <span className={styles['duration']}>{formatDuration(card.durationMs)}</span>
          )}
        </>
      )}
    </span>
  );
  const words = (
    <span className={styles['words']}>
      <strong>{card?.title ?? (isError ? t('chat:videoGone') : '\u00a0')}</strong>
      <small>{card ? `@${card.author.username}` : '\u00a0'}</small>
    </span>
  );
  return card ? (
    <Link
      to="/v/$id"
      params={{ id: videoId }}
      className={styles['video']}
      aria-label={t('chat:videoOpen', { title: card.title })}
    >
      {cover}
      {words}
    </Link>
  ) : (
    <span className={styles['video']}>
      {cover}
      {words}
    </span>
  );
}
