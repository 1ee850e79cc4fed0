import type { Notification, NotificationKind } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { AtSign, Film, Heart, type LucideIcon, MessageCircle, Repeat2, Reply, UserRound } from 'lucide-react';
import type { ReactNode } from 'react';
import { useViewer } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { formatAgo } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { FollowButton } from '../../people/follow-button.tsx';
import { Avatar } from '../../ui/avatar.tsx';
import { CoverImage } from '../../ui/cover-image.tsx';
import styles from './notifications-page.module.css';
import { Sentence } from './sentence.tsx';

const icons: Record<NotificationKind, LucideIcon> = {
  like: Heart,
  'comment-like': Heart,
  repost: Repeat2,
  comment: MessageCircle,
  reply: Reply,
  mention: AtSign,
  follow: UserRound,
};

interface RowProps {
  notification: Notification;
  nowMs: number;
}

export function NotificationRow({ notification, nowMs }: RowProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const { actors, comment, count, kind, read, updatedAt, video } = notification;
  const [first] = actors;
  return (
    <li className={classes(styles['row'], !read && styles['unread'])}>
      <Target notification={notification}>
        <Faces notification={notification} />
        <span className={styles['words']}>
          <span className={styles['sentence']}>
            {!read && <span className="visually-hidden">{t('notifications:isNew')}: </span>}
            <Sentence notification={notification} />
          </span>
          {comment && (
            <q className={classes(styles['quote'], isOwnText(kind) && styles['own'])}>{comment.text}</q>
          )}
          <small>
            {video && !comment && <span className={styles['title']}>{video.title}</span>}
            <time dateTime={updatedAt}>{formatAgo(updatedAt, language, nowMs)}</time>
          </small>
        </span>
        {video && (
          <span className={styles['cover']}>
            <CoverImage url={video.coverUrl} alt={video.title} fallback={<Film size={20} aria-hidden />} />
          </span>
        )}
      </Target>
      {kind === 'follow' && count === 1 && first && (
        <FollowButton
          user={first}
          following={first.relation.following}
          followedBy={first.relation.followedBy}
        />
      )}
    </li>
  );
}

const isOwnText = (kind: NotificationKind) => kind === 'comment-like';

/** Where it leads: to the comment, the video, the person, or all who follow. */
function Target({ notification, children }: { notification: Notification; children: ReactNode }) {
  const viewer = useViewer();
  const { actors, comment, count, video } = notification;
  const link = { className: styles['link'] };
  if (video) {
    return (
      <Link
        to="/v/$id"
        params={{ id: video.id }}
        {...(comment && { search: { comment: comment.id } })}
        {...link}
      >
        {children}
      </Link>
    );
  }
  const [first] = actors;
  if (count > 1 && viewer) {
    return (
      <Link
        to="/$handle/people/$list"
        params={{ handle: `@${viewer.username}`, list: 'followers' }}
        {...link}
      >
        {children}
      </Link>
    );
  }
  return (
    <Link to="/$handle" params={{ handle: `@${first?.username ?? ''}` }} {...link}>
      {children}
    </Link>
  );
}

/** The last two, one before the other, with a sign of what they did. */
function Faces({ notification: { actors, kind } }: { notification: Notification }) {
  const Icon = icons[kind];
  const [first, second] = actors;
  return (
    <span className={classes(styles['faces'], second && styles['stacked'])}>
      {second && <Avatar user={second} size={34} />}
      {first && <Avatar user={first} size={second ? 34 : 46} />}
      <span className={classes(styles['sign'], styles[kind])} aria-hidden>
        <Icon size={12} strokeWidth={2.8} />
      </span>
    </span>
  );
}
