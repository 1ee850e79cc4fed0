import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowUp, Compass, PartyPopper } from 'lucide-react';
import { useTexts } from '../../i18n/use-texts.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { type FeedKind, feedQuery, joinPages } from '../../watch/queries.ts';
import styles from './end-slide.module.css';
import page from './feed-page.module.css';

interface EndSlideProps {
  kind: FeedKind;
  hasMore: boolean;
  error: unknown;
  onRetry(): void;
  onTop(): void;
}

/** The slide after the last one: more is coming, or could not be had, or that was everything. */
export function EndSlide({ kind, hasMore, error, onRetry, onTop }: EndSlideProps) {
  const { t } = useTexts();
  if (error) {
    return (
      <div className={page['stage']}>
        <ErrorNotice tone="over" title={t('watch:feed.moreFailed')} error={error} onRetry={onRetry} />
      </div>
    );
  }
  if (hasMore) {
    return (
      <div className={page['stage']}>
        <Spinner size={44} />
      </div>
    );
  }
  if (kind === 'following') return <CaughtUp onTop={onTop} />;
  return (
    <div className={page['stage']}>
      <Notice
        tone="over"
        icon={<PartyPopper size={32} aria-hidden />}
        title={t('watch:feed.endTitle')}
        text={t('watch:feed.endText')}
        actions={
          <>
            <Button tone="accent" onClick={onTop}>
              {t('watch:feed.backToTop')}
            </Button>
            <Link to="/upload" className={buttonClass({ tone: 'over' })}>
              {t('nav.upload')}
            </Link>
          </>
        }
      />
    </div>
  );
}

function CaughtUp({ onTop }: { onTop(): void }) {
  const { t } = useTexts();
  return (
    <div className={page['stage']}>
      <div className={styles['end']}>
        <Sign />
        <h2 className={styles['title']}>{t('feed:caughtUp')}</h2>
        <p className={styles['text']}>{t('feed:caughtUpText')}</p>
        <div className={styles['actions']}>
          <Button tone="accent" icon={<ArrowUp size={19} strokeWidth={2.6} aria-hidden />} onClick={onTop}>
            {t('watch:feed.backToTop')}
          </Button>
          <Link to="/" className={buttonClass({ tone: 'over' })}>
            <Compass size={19} aria-hidden />
            {t('feed:discoverAction')}
          </Link>
        </div>
        <Discover />
      </div>
    </div>
  );
}

/** A pile of clips that have all been turned, with a tick on the last one. */
function Sign() {
  return (
    <svg className={styles['sign']} viewBox="0 0 160 132" aria-hidden="true">
      <circle className={styles['glow']} cx="80" cy="66" r="62" />
      <rect
        className={styles['far']}
        x="54"
        y="24"
        width="52"
        height="80"
        rx="11"
        transform="rotate(-15 80 118)"
      />
      <rect
        className={styles['near']}
        x="54"
        y="24"
        width="52"
        height="80"
        rx="11"
        transform="rotate(11 80 118)"
      />
      <rect className={styles['front']} x="54" y="24" width="52" height="80" rx="11" />
      <path className={styles['tick']} d="M67 65.5 L76.5 75 L94 55.5" pathLength={1} />
    </svg>
  );
}

const mostShown = 3;

/** Clips of people whom the viewer does not follow yet. Nothing is said while there are none. */
function Discover() {
  const { t } = useTexts();
  const query = useInfiniteQuery(feedQuery('latest'));
  const cards = joinPages(query.data?.pages ?? [])
    .filter(({ viewer, coverUrl }) => !viewer.following && !viewer.own && coverUrl !== null)
    .slice(0, mostShown);
  if (cards.length === 0) return null;
  return (
    <section className={styles['discover']} aria-label={t('feed:discover')}>
      <h3>{t('feed:discover')}</h3>
      <ul>
        {cards.map((card) => (
          <li key={card.id}>
            <Link to="/v/$id" params={{ id: card.id }} className={styles['card']}>
              <img src={card.coverUrl ?? ''} alt="" decoding="async" />
              <span>
                <strong>{card.title}</strong>
                <small>{card.author.displayName}</small>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
