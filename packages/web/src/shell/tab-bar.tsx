import { Link } from '@tanstack/react-router';
import { CircleUserRound, House, Plus, UsersRound } from 'lucide-react';
import { tapFeed } from '../app/feed-tap.ts';
import { useViewer } from '../app/session.ts';
import { ChatSign } from '../chat/chat-sign.tsx';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { Bell } from '../notifications/bell.tsx';
import { Avatar } from '../ui/avatar.tsx';
import styles from './tab-bar.module.css';

/** The bottom edge of phones. Over the picture it is dark in both themes. */
export function TabBar({ over }: { over: boolean }) {
  const { t } = useTexts();
  const viewer = useViewer();
  const item = { className: styles['item'], activeProps: { className: styles['active'] } };
  return (
    <nav aria-label={t('nav.label')} className={classes(styles['bar'], over && styles['over'])}>
      <Link to="/" activeOptions={{ exact: true }} onClick={() => tapFeed('/')} {...item}>
        <House aria-hidden />
        {t('nav.home')}
      </Link>
      <Link to="/following" search={{}} onClick={() => tapFeed('/following')} {...item}>
        <UsersRound aria-hidden />
        {t('nav.following')}
      </Link>
      <Link to="/upload" className={styles['upload']} aria-label={t('nav.upload')}>
        <span>
          <Plus size={24} strokeWidth={2.8} aria-hidden />
        </span>
      </Link>
      {viewer && (
        <Link to="/messages" {...item}>
          <ChatSign />
          {t('chats.tab')}
        </Link>
      )}
      {viewer && (
        <Link to="/notifications" {...item}>
          <Bell />
          {t('notifications:tab')}
        </Link>
      )}
      {viewer ? (
        <Link to="/$handle" params={{ handle: `@${viewer.username}` }} {...item}>
          <Avatar user={viewer} size={24} />
          {t('nav.me')}
        </Link>
      ) : (
        <Link to="/login" {...item}>
          <CircleUserRound aria-hidden />
          {t('nav.login')}
        </Link>
      )}
    </nav>
  );
}
