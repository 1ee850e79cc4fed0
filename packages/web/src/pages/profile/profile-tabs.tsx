import type { ListSettings, UserProfile } from '@hvideo/protocol';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Bookmark, Clapperboard, Heart, History, Lock, type LucideIcon } from 'lucide-react';
import { useViewer } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { listSettingsQuery, listsQuery } from './list-queries.ts';
import styles from './profile-tabs.module.css';

export const profileTabs = ['videos', 'likes', 'favorites', 'history'] as const;
export type ProfileTab = (typeof profileTabs)[number];

export const isProfileTab = (text: string): text is ProfileTab => profileTabs.some((tab) => tab === text);

const icons: Record<ProfileTab, LucideIcon> = {
  videos: Clapperboard,
  likes: Heart,
  favorites: Bookmark,
  history: History,
};

/** What there is of a person besides their videos: all of it for themselves, for others what they show. */
export function ProfileTabs({ profile }: { profile: UserProfile }) {
  const { t } = useTexts();
  const viewer = useViewer();
  const isOwn = viewer?.id === profile.id;
  const { data: open } = useQuery({ ...listsQuery(profile.id), enabled: !isOwn });
  const { data: shown } = useQuery({ ...listSettingsQuery, enabled: isOwn });
  const lists = (['likes', 'favorites', 'history'] as const).filter((list) => isOwn || open?.[list]);
  if (lists.length === 0) return null;
  const handle = `@${profile.username}`;
  const look = {
    className: styles['tab'],
    activeProps: { className: styles['active'], 'aria-current': 'page' as const },
    resetScroll: false,
  };
  return (
    <nav className={styles['tabs']} aria-label={t('lists:tabs.label', { name: profile.displayName })}>
      <Link to="/$handle" params={{ handle }} activeOptions={{ exact: true }} replace {...look}>
        <Label tab="videos" />
      </Link>
      {lists.map((tab) =>
        isOwn && tab === 'history' ? (
          <Link key={tab} to="/history" {...look}>
            <Label tab={tab} isPrivate={isPrivate(shown, tab)} />
          </Link>
        ) : (
          <Link key={tab} to="/$handle/$tab" params={{ handle, tab }} replace {...look}>
            <Label tab={tab} isPrivate={isOwn && isPrivate(shown, tab)} />
          </Link>
        ),
      )}
    </nav>
  );
}

const isPrivate = (shown: ListSettings | undefined, list: keyof ListSettings) =>
  shown !== undefined && !shown[list];

function Label({ tab, isPrivate = false }: { tab: ProfileTab; isPrivate?: boolean }) {
  const { t } = useTexts();
  const Icon = icons[tab];
  return (
    <>
      <Icon size={19} aria-hidden />
      <span>{t(`lists:tabs.${tab}`)}</span>
      {isPrivate && (
        <span className={styles['lock']} title={t('lists:tabs.onlyYou')}>
          <Lock size={12} aria-hidden />
          <span className="visually-hidden">{t('lists:tabs.onlyYou')}</span>
        </span>
      )}
    </>
  );
}
