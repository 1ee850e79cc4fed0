import type { VideoCard } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { formatAgo } from '../lib/format.ts';
import { useLanguage } from '../lib/use-language.ts';
import { useNow } from '../lib/use-now.ts';
import { FollowButton } from '../people/follow-button.tsx';
import { Avatar } from '../ui/avatar.tsx';
import styles from './caption.module.css';
import { RepostLine } from './repost-line.tsx';

const shortChars = 90;

/** Who and what, over the lower edge of the picture. On wide screens the side panel says it. */
export function Caption({ card }: { card: VideoCard }) {
  const { t } = useTexts();
  const language = useLanguage();
  const nowMs = useNow();
  const [isOpen, setOpen] = useState(false);
  const isLong = card.description.length > shortChars || card.tags.length > 3;
  return (
    <div className={styles['caption']}>
      <RepostLine reason={card.reason} over />
      <div className={styles['author']}>
        <Link to="/$handle" params={{ handle: `@${card.author.username}` }} className={styles['person']}>
          <Avatar user={card.author} size={40} />
          <span>
            <strong>{card.author.displayName}</strong>
            {card.publishedAt && <small>{formatAgo(card.publishedAt, language, nowMs)}</small>}
          </span>
        </Link>
        {!card.viewer.own && !card.viewer.following && (
          <FollowButton user={card.author} following={card.viewer.following} over />
        )}
      </div>
      <p className={styles['title']}>
        <Link to="/v/$id" params={{ id: card.id }}>
          {card.title}
        </Link>
      </p>
      {(card.description || card.tags.length > 0) && (
        <div className={classes(styles['text'], isOpen && styles['open'])}>
          {card.description && <p>{card.description}</p>}
          {card.tags.length > 0 && (
            <p className={styles['tags']}>{card.tags.map((tag) => `#${tag}`).join(' ')}</p>
          )}
        </div>
      )}
      {isLong && (
        <button
          type="button"
          className={styles['more']}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? t('actions.showLess') : t('actions.showMore')}
        </button>
      )}
    </div>
  );
}
