import type { VideoCard } from '@hvideo/protocol';
import { Bookmark, Heart, MessageCircle, Repeat2, Share2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { formatCount } from '../lib/format.ts';
import { useLanguage } from '../lib/use-language.ts';
import { ShareSheet } from '../share/share-sheet.tsx';
import styles from './action-rail.module.css';
import { react, useSignedIn } from './react.ts';
import { RepostSheet } from './repost-sheet.tsx';

interface ActionRailProps {
  card: VideoCard;
  onComments(): void;
}

/** What one can do with a video, at the right edge of the picture. */
export function ActionRail({ card, onComments }: ActionRailProps) {
  const { t } = useTexts();
  const signedIn = useSignedIn();
  const [isSharing, setSharing] = useState(false);
  const { counts, viewer } = card;
  const [isReposting, setReposting] = useState(false);
  return (
    <div className={styles['rail']}>
      <Action
        name={t('engagement:like')}
        count={counts.likes}
        isOn={viewer.liked}
        look={styles['like']}
        onClick={() => signedIn(() => react(card, 'likes', !viewer.liked))}
      >
        <Heart size={27} fill="currentColor" aria-hidden />
      </Action>
      <Action name={t('engagement:comments')} count={counts.comments} onClick={onComments}>
        <MessageCircle size={26} fill="currentColor" aria-hidden />
      </Action>
      <Action
        name={t('engagement:favorite')}
        count={counts.favorites}
        isOn={viewer.favorited}
        look={styles['keep']}
        onClick={() => signedIn(() => react(card, 'favorites', !viewer.favorited))}
      >
        <Bookmark size={26} fill="currentColor" aria-hidden />
      </Action>
      {!viewer.own && card.visibility === 'public' && (
        <Action
          name={t('engagement:repost')}
          count={counts.reposts}
          isOn={viewer.reposted}
          look={styles['repost']}
          onClick={() => signedIn(() => setReposting(true))}
        >
          <Repeat2 size={27} strokeWidth={2.6} aria-hidden />
        </Action>
      )}
      <Action name={t('share:title')} count={counts.shares} onClick={() => setSharing(true)}>
        <Share2 size={25} fill="currentColor" aria-hidden />
      </Action>
      <RepostSheet card={card} open={isReposting} onOpenChange={setReposting} />
      <ShareSheet card={card} open={isSharing} onOpenChange={setSharing} />
    </div>
  );
}

interface ActionProps {
  name: string;
  count: number;
  /** Absent: it is no state, but something that opens. */
  isOn?: boolean;
  look?: string | undefined;
  onClick(): void;
  children: ReactNode;
}

function Action({ name, count, isOn, look, onClick, children }: ActionProps) {
  const language = useLanguage();
  const text = formatCount(count, language);
  return (
    <button
      type="button"
      className={classes(styles['action'], look, isOn && styles['on'])}
      aria-label={`${name}: ${text}`}
      title={name}
      {...(isOn !== undefined && { 'aria-pressed': isOn })}
      onClick={onClick}
    >
      <span className={styles['icon']}>{children}</span>
      <span className={styles['count']} aria-hidden>
        {text}
      </span>
    </button>
  );
}
