import { Link } from '@tanstack/react-router';
import { Clapperboard, Gauge, History, House, LogOut, Plus, Settings, UsersRound } from 'lucide-react';
import { useLanguageChoice, useThemeChoice } from '../app/looks.ts';
import { useViewer } from '../app/session.ts';
import { ChatSign } from '../chat/chat-sign.tsx';
import { useTexts } from '../i18n/use-texts.ts';
import { Bell } from '../notifications/bell.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { buttonClass, IconButton } from '../ui/button.tsx';
import { Wordmark } from '../ui/logo.tsx';
import { Menu, MenuChoice, MenuItem, MenuSeparator } from '../ui/menu.tsx';
import { useLogOut } from './log-out.tsx';
import styles from './rail.module.css';

/** The left edge of wide screens. */
export function Rail() {
  const { t } = useTexts();
  const viewer = useViewer();
  const item = { className: styles['item'], activeProps: { className: styles['active'] } };
  return (
    <div className={styles['rail']}>
      <Link to="/" className={styles['logo']} aria-label={t('appName')}>
        <Wordmark />
      </Link>
      <nav aria-label={t('nav.label')} className={styles['nav']}>
        <Link to="/" activeOptions={{ exact: true }} {...item}>
          <House aria-hidden />
          {t('nav.home')}
        </Link>
        <Link to="/following" {...item}>
          <UsersRound aria-hidden />
          {t('nav.following')}
        </Link>
        {viewer && (
          <Link to="/messages" {...item}>
            <ChatSign />
            {t('chats.title')}
          </Link>
        )}
        {viewer && (
          <Link to="/notifications" {...item}>
            <Bell />
            {t('notifications:title')}
          </Link>
        )}
        {viewer && (
          <Link to="/studio" {...item}>
            <Clapperboard aria-hidden />
            {t('nav.studio')}
          </Link>
        )}
        <Link to="/upload" className={`${buttonClass({ tone: 'accent', block: true })} ${styles['upload']}`}>
          <Plus size={20} strokeWidth={2.6} aria-hidden />
          {t('nav.upload')}
        </Link>
      </nav>
      <div className={styles['foot']}>
        {viewer ? (
          <Link to="/$handle" params={{ handle: `@${viewer.username}` }} className={styles['me']}>
            <Avatar user={viewer} size={38} />
            <span>
              <strong>{viewer.displayName}</strong>
              <small>@{viewer.username}</small>
            </span>
          </Link>
        ) : (
          viewer === null && (
            <Link to="/login" className={buttonClass({ tone: 'soft', block: true })}>
              {t('nav.login')}
            </Link>
          )
        )}
        <MoreMenu />
      </div>
    </div>
  );
}

export function MoreMenu({ over = false }: { over?: boolean }) {
  const { t } = useTexts();
  const viewer = useViewer();
  const themeChoice = useThemeChoice();
  const languageChoice = useLanguageChoice();
  const logOut = useLogOut(viewer?.id ?? '');
  return (
    <>
      <Menu
        trigger={
          <IconButton label={t('nav.more')} tone={over ? 'over' : 'plain'}>
            <Settings size={21} aria-hidden />
          </IconButton>
        }
      >
        <MenuChoice {...themeChoice} />
        <MenuChoice {...languageChoice} />
        {viewer && (
          <>
            <MenuSeparator />
            <MenuItem asChild>
              <Link to="/history">
                <History size={18} aria-hidden />
                {t('lists:history.title')}
              </Link>
            </MenuItem>
            <MenuItem asChild>
              <Link to="/settings">
                <Settings size={18} aria-hidden />
                {t('nav.settings')}
              </Link>
            </MenuItem>
            {viewer.role === 'admin' && (
              <MenuItem asChild>
                <Link to="/operations">
                  <Gauge size={18} aria-hidden />
                  {t('operations:title')}
                </Link>
              </MenuItem>
            )}
            <MenuItem icon={<LogOut size={18} aria-hidden />} onSelect={logOut.begin}>
              {t('nav.logout')}
            </MenuItem>
          </>
        )}
      </Menu>
      {logOut.question}
    </>
  );
}
