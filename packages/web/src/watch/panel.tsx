import type { Relation, VideoCard } from '@hvideo/protocol';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Comments } from '../comments/comments.tsx';
import { useTexts } from '../i18n/use-texts.ts';
import { formatAgo } from '../lib/format.ts';
import { useLanguage } from '../lib/use-language.ts';
import { useNow } from '../lib/use-now.ts';
import { TakedownButton } from '../moderation/takedown-button.tsx';
import { FollowButton } from '../people/follow-button.tsx';
import { ShareButton } from '../share/share-button.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { ErrorNotice } from '../ui/notice.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { CoverGrid } from './cover-grid.tsx';
import styles from './panel.module.css';
import { joinPages, userVideosQuery } from './queries.ts';
import { RepostLine } from './repost-line.tsx';

interface PanelProps {
  card: VideoCard;
  relation?: Relation | null;
  /** On the video's own page the title is the page's heading, without a link to itself. */
  isPage?: boolean;
  /** A comment that somebody was led to. */
  shownId?: string | undefined;
}

/** Everything about a video that is not the picture. */
export function Panel({ card, relation = null, isPage = false, shownId }: PanelProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const nowMs = useNow();
  const Heading = isPage ? 'h1' : 'h2';
  return (
    <div className={styles['panel']}>
      <RepostLine reason={card.reason} />
      <div className={styles['author']}>
        <Link to="/$handle" params={{ handle: `@${card.author.username}` }} className={styles['person']}>
          <Avatar user={card.author} size={52} />
          <span>
            <strong>{card.author.displayName}</strong>
            <small>@{card.author.username}</small>
          </span>
        </Link>
        {!card.viewer.own && (
          <FollowButton
            user={card.author}
            following={relation?.following ?? card.viewer.following}
            followedBy={relation?.followedBy ?? false}
          />
        )}
      </div>
      <div className={styles['words']}>
        <Heading className={styles['title']}>
          {isPage ? (
            card.title
          ) : (
            <Link to="/v/$id" params={{ id: card.id }}>
              {card.title}
            </Link>
          )}
        </Heading>
        {card.description && <p className={styles['description']}>{card.description}</p>}
        {card.tags.length > 0 && (
          <ul className={styles['tags']} aria-label={t('watch:details.tags')}>
            {card.tags.map((tag) => (
              <li key={tag}>#{tag}</li>
            ))}
          </ul>
        )}
        <p className={styles['meta']}>
          {card.publishedAt &&
            t('watch:details.published', { time: formatAgo(card.publishedAt, language, nowMs) })}
          {card.visibility !== 'public' && <span>{t(`watch:details.visibility.${card.visibility}`)}</span>}
        </p>
        <div className={styles['buttons']}>
          <ShareButton card={card} />
          <TakedownButton card={card} />
        </div>
      </div>
      <Comments card={card} shownId={shownId} />
      <MoreOfAuthor card={card} />
    </div>
  );
}

function MoreOfAuthor({ card }: { card: VideoCard }) {
  const { t } = useTexts();
  const query = useInfiniteQuery(userVideosQuery(card.author.id));
  const others = joinPages(query.data?.pages ?? [])
    .filter((other) => other.id !== card.id)
    .slice(0, 9);
  const title = t('watch:details.moreOf', { name: card.author.displayName });
  return (
    <section className={styles['more']} aria-label={title}>
      <h3>{title}</h3>
      {query.isPending ? (
        <Skeleton height="9rem" />
      ) : query.isError ? (
        <ErrorNotice compact error={query.error} onRetry={() => void query.refetch()} />
      ) : others.length === 0 ? (
        <p className={styles['meta']}>{t('watch:details.noMore')}</p>
      ) : (
        <CoverGrid cards={others} dense />
      )}
    </section>
  );
}
