import type { VideoCard } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { Film, Lock } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { formatDuration } from '../lib/format.ts';
import { CoverImage } from '../ui/cover-image.tsx';
import styles from './cover-grid.module.css';

interface CoverGridProps {
  cards: readonly VideoCard[];
  dense?: boolean;
  /** A button that lies on each cover. */
  action?: (card: VideoCard) => ReactNode;
}

/** Covers that lead to their videos. */
export function CoverGrid({ cards, dense = false, action }: CoverGridProps) {
  const { t } = useTexts();
  return (
    <ul className={classes(styles['grid'], dense && styles['dense'])}>
      {cards.map((card) => (
        <li key={card.id}>
          <Link to="/v/$id" params={{ id: card.id }} className={styles['card']}>
            <span className={styles['cover']}>
              <CoverImage url={card.coverUrl} fallback={<Film size={28} aria-hidden />} />
              {card.visibility !== 'public' && (
                <span className={styles['badge']}>
                  <Lock size={12} aria-hidden />
                  <span className="visually-hidden">{t(`watch:details.visibility.${card.visibility}`)}</span>
                </span>
              )}
              <Mark card={card} />
            </span>
            <span className={styles['title']}>{card.title}</span>
          </Link>
          {action && <span className={styles['action']}>{action(card)}</span>}
        </li>
      ))}
    </ul>
  );
}

/** Why it cannot be watched by everybody yet, or how long it is. */
function Mark({ card }: { card: VideoCard }) {
  const { t } = useTexts();
  if (card.status === 'processing' || card.status === 'failed') {
    return <span className={styles['state']}>{t(`watch:profile.${card.status}`)}</span>;
  }
  if (
    card.viewer.own &&
    card.status === 'ready' &&
    card.publishedAt === null &&
    card.visibility === 'public'
  ) {
    return <span className={styles['state']}>{t('watch:profile.scheduled')}</span>;
  }
  return card.durationMs === null ? null : (
    <span className={styles['duration']}>{formatDuration(card.durationMs)}</span>
  );
}
