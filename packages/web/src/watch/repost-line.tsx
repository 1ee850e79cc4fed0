import type { VideoReason } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { Repeat2 } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { formatAgo } from '../lib/format.ts';
import { useLanguage } from '../lib/use-language.ts';
import { useNow } from '../lib/use-now.ts';
import { Avatar } from '../ui/avatar.tsx';
import styles from './repost-line.module.css';

interface RepostLineProps {
  reason: VideoReason;
  /** Over the picture. */
  over?: boolean;
}

/** Who recommended the video, and in which words. */
export function RepostLine({ reason: { repost }, over = false }: RepostLineProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const nowMs = useNow();
  if (!repost) return null;
  const { by, comment, at } = repost;
  return (
    <div className={classes(styles['repost'], over && styles['over'])} data-repost>
      <p className={styles['by']}>
        <Repeat2 size={16} strokeWidth={2.6} aria-hidden />
        <Link to="/$handle" params={{ handle: `@${by.username}` }} className={styles['person']}>
          <Avatar user={by} size={22} />
          <strong>{by.displayName}</strong>
        </Link>
        <span>{t('feed:reposted')}</span>
        <time dateTime={at}>{formatAgo(at, language, nowMs)}</time>
      </p>
      {comment !== null && comment !== '' && <blockquote className={styles['words']}>{comment}</blockquote>}
    </div>
  );
}
