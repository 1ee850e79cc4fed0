import type { UserProfile } from '@hvideo/protocol';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Ban, CircleOff, Clapperboard } from 'lucide-react';
import { isNotFound } from '../../app/query.ts';
import { useViewer } from '../../app/session.ts';
import { MessageButton } from '../../chat/message-button.tsx';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatCount, formatMonth } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { UnsuspendButton } from '../../moderation/unsuspend-button.tsx';
import { FollowButton } from '../../people/follow-button.tsx';
import { profileQuery } from '../../people/queries.ts';
import { changeRelation } from '../../people/relation.ts';
import { RelationMenu } from '../../people/relation-menu.tsx';
import { Avatar } from '../../ui/avatar.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { PageSpinner } from '../../ui/spinner.tsx';
import { CoverGrid } from '../../watch/cover-grid.tsx';
import { joinPages, userVideosQuery } from '../../watch/queries.ts';
import { NotFoundPage } from '../not-found/not-found-page.tsx';
import { CardList } from './card-list.tsx';
import { FavoritesTab } from './favorites-tab.tsx';
import styles from './profile-page.module.css';
import { isProfileTab, type ProfileTab, ProfileTabs } from './profile-tabs.tsx';

export function ProfilePage() {
  const { t } = useTexts();
  const { handle = '', tab = 'videos', folder } = useParams({ strict: false });
  const isHandle = /^@\w{3,30}$/.test(handle);
  const shown = folder === undefined ? tab : 'favorites';
  const query = useQuery({ ...profileQuery(handle), enabled: isHandle });
  useTitle(query.data?.displayName);
  if (!isHandle || !isProfileTab(shown)) return <NotFoundPage />;
  if (isNotFound(query.error)) {
    return (
      <NotFoundPage
        title={t('watch:profile.notFound')}
        text={t('watch:profile.notFoundText')}
        actions={<UnsuspendButton handle={handle} />}
      />
    );
  }
  if (query.data) {
    return (
      <div className={styles['page']}>
        <ProfileHeader profile={query.data} />
        <ProfileBody profile={query.data} tab={shown} folder={folder} />
      </div>
    );
  }
  if (query.isError) {
    return <ErrorNotice error={query.error} busy={query.isFetching} onRetry={() => void query.refetch()} />;
  }
  return <PageSpinner />;
}

function ProfileHeader({ profile }: { profile: UserProfile }) {
  const { t } = useTexts();
  const language = useLanguage();
  return (
    <header className={styles['header']}>
      <Avatar user={profile} size={112} decorative={false} />
      <div className={styles['who']}>
        <h1>{profile.displayName}</h1>
        <p className={styles['name']}>
          @{profile.username}
          {profile.relation?.followedBy && <span>{t('watch:relation.followsYou')}</span>}
        </p>
        <Counts profile={profile} />
        {profile.bio && <p className={styles['bio']}>{profile.bio}</p>}
        <p className={styles['joined']}>
          {t('watch:profile.joined', { date: formatMonth(profile.createdAt, language) })}
        </p>
      </div>
      <ProfileActions profile={profile} />
    </header>
  );
}

function Counts({ profile }: { profile: UserProfile }) {
  const { t } = useTexts();
  const language = useLanguage();
  const handle = `@${profile.username}`;
  const { followers, following, videos } = profile.counts;
  return (
    <ul className={styles['counts']}>
      <li>
        <Link to="/$handle/people/$list" params={{ handle, list: 'followers' }}>
          <b>{formatCount(followers, language)}</b> {t('watch:profile.followers', { count: followers })}
        </Link>
      </li>
      <li>
        <Link to="/$handle/people/$list" params={{ handle, list: 'following' }}>
          <b>{formatCount(following, language)}</b> {t('watch:profile.followingCount')}
        </Link>
      </li>
      <li>
        <b>{formatCount(videos, language)}</b> {t('watch:profile.videos', { count: videos })}
      </li>
    </ul>
  );
}

function ProfileActions({ profile }: { profile: UserProfile }) {
  const { t } = useTexts();
  const viewer = useViewer();
  if (viewer?.id === profile.id) {
    return (
      <div className={styles['actions']}>
        <Link to="/studio" className={buttonClass()}>
          {t('watch:profile.manage')}
        </Link>
        <Link to="/settings" className={buttonClass()}>
          {t('watch:profile.edit')}
        </Link>
      </div>
    );
  }
  const { relation } = profile;
  return (
    <div className={styles['actions']}>
      {!relation?.blocked && (
        <FollowButton
          size="md"
          user={profile}
          following={relation?.following ?? false}
          followedBy={relation?.followedBy ?? false}
        />
      )}
      {!relation?.blocked && !profile.suspended && <MessageButton user={profile} />}
      {relation && <RelationMenu user={profile} relation={relation} isSuspended={profile.suspended} />}
    </div>
  );
}

interface ProfileBodyProps {
  profile: UserProfile;
  tab: ProfileTab;
  folder: string | undefined;
}

function ProfileBody({ profile, tab, folder }: ProfileBodyProps) {
  const { t } = useTexts();
  const name = profile.displayName;
  if (profile.suspended) {
    return (
      <Notice
        compact
        icon={<CircleOff size={26} aria-hidden />}
        title={t('watch:profile.suspended')}
        text={t('watch:profile.suspendedText')}
      />
    );
  }
  if (profile.relation?.blocked) {
    return (
      <Notice
        compact
        icon={<Ban size={26} aria-hidden />}
        title={t('watch:profile.blockedTitle', { name })}
        text={t('watch:profile.blockedText')}
        actions={
          <Button onClick={() => void changeRelation(profile.id, 'unblock')}>
            {t('watch:relation.unblock')}
          </Button>
        }
      />
    );
  }
  return (
    <>
      <ProfileTabs profile={profile} />
      {tab === 'videos' ? (
        <ProfileVideos profile={profile} />
      ) : tab === 'favorites' ? (
        <FavoritesTab profile={profile} folder={folder} />
      ) : (
        <CardList profile={profile} list={tab} />
      )}
    </>
  );
}

function ProfileVideos({ profile }: { profile: UserProfile }) {
  const { t } = useTexts();
  const viewer = useViewer();
  const query = useInfiniteQuery(userVideosQuery(profile.id));
  const name = profile.displayName;
  if (query.isError && !query.data)
    return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />;
  if (query.isPending) return <PageSpinner />;
  const cards = joinPages(query.data.pages);
  if (cards.length === 0) {
    const isOwn = viewer?.id === profile.id;
    return (
      <Notice
        compact
        icon={<Clapperboard size={26} aria-hidden />}
        title={t(isOwn ? 'watch:profile.noVideosOwn' : 'watch:profile.noVideos')}
        text={isOwn ? t('watch:profile.noVideosOwnText') : t('watch:profile.noVideosText', { name })}
        actions={
          isOwn && (
            <Link to="/upload" className={buttonClass({ tone: 'accent' })}>
              {t('watch:feed.emptyAction')}
            </Link>
          )
        }
      />
    );
  }
  return (
    <section aria-label={t('watch:profile.videosLabel', { name })} className={styles['videos']}>
      <CoverGrid cards={cards} />
      {query.hasNextPage && (
        <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('actions.loadMore')}
        </Button>
      )}
    </section>
  );
}
