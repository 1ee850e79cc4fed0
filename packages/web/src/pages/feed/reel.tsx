import type { VideoCard } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { ChevronDown, ChevronUp, Keyboard, PartyPopper } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { CommentsSheet, leadToComments } from '../../comments/comments.tsx';
import { ActionRail } from '../../engagement/action-rail.tsx';
import { react, useSignedIn } from '../../engagement/react.ts';
import { useViewing } from '../../history/use-viewing.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useMedia, useReducedMotion } from '../../lib/use-media.ts';
import { KeysDialog } from '../../player/keys-dialog.tsx';
import { mountedRange, wantsMore } from '../../player/pool.ts';
import { Slide } from '../../player/slide.tsx';
import { usePlayerKeys } from '../../player/use-keys.ts';
import { usePool } from '../../player/use-pool.ts';
import { Button, buttonClass, IconButton } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { Caption } from '../../watch/caption.tsx';
import { Panel } from '../../watch/panel.tsx';
import { FEED_PAGE_SIZE, type FeedKind } from '../../watch/queries.ts';
import styles from './feed-page.module.css';

interface ReelProps {
  kind: FeedKind;
  cards: readonly VideoCard[];
  hasMore: boolean;
  isLoadingMore: boolean;
  moreError: unknown;
  loadMore(): void;
  /** Reads the feed anew, from the top. */
  startOver(): void;
}

/** Where each feed was left, by the video's id: coming back from a profile goes on there. */
const lastSeen = new Map<FeedKind, string>();

/** The videos, one to a screen. The slide after the last one says that it was the last. */
export function Reel({ kind, cards, hasMore, isLoadingMore, moreError, loadMore, startOver }: ReelProps) {
  const { t } = useTexts();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [active, setActive] = useState(() =>
    Math.max(
      0,
      cards.findIndex((card) => card.id === lastSeen.get(kind)),
    ),
  );
  const playerOf = usePool(cards, active);
  const { scroller, goTo, heading } = useScroller(active, setActive);
  const card = cards[active];
  useViewing(card, playerOf(active));

  useEffect(() => {
    if (card) lastSeen.set(kind, card.id);
  }, [kind, card]);
  useEffect(() => {
    if (hasMore && !isLoadingMore && !moreError && wantsMore(active, cards.length, FEED_PAGE_SIZE))
      loadMore();
  });

  const signedIn = useSignedIn();
  const [isTalking, setTalking] = useState(false);
  const side = useRef<HTMLElement>(null);
  // The CSS modules use the same number.
  const hasSide = useMedia('(min-width: 75rem)');
  const openComments = () => {
    if (!hasSide) setTalking(true);
    else leadToComments(side.current);
  };
  const like = () => {
    if (card) signedIn(() => react(card, 'likes', !card.viewer.liked));
  };
  const step = (by: 1 | -1) => goTo(Math.min(cards.length, Math.max(0, heading() + by)));
  const toTop = () => {
    lastSeen.delete(kind);
    startOver();
  };
  const targets = useRef({ player: playerOf(active), step, like, showHelp: () => setHelpOpen(true) });
  useLayoutEffect(() => {
    targets.current = { player: playerOf(active), step, like, showHelp: () => setHelpOpen(true) };
  });
  usePlayerKeys(targets);

  const actionsFor = (shown: VideoCard) => ({
    actions: <ActionRail card={shown} onComments={openComments} />,
    onLike: () => signedIn(() => react(shown, 'likes', true)),
  });
  return (
    <div className={styles['reel']}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section ref={scroller} className={styles['scroller']} aria-label={t('watch:feed.label')} tabIndex={0}>
        <div className={styles['track']} style={{ height: `${(cards.length + 1) * 100}%` }}>
          {mountedRange(active, cards.length + 1).map((index) => (
            <article
              key={cards[index]?.id ?? 'end'}
              className={styles['item']}
              style={{
                top: `${(index * 100) / (cards.length + 1)}%`,
                height: `${100 / (cards.length + 1)}%`,
              }}
              inert={index !== active}
              aria-label={
                cards[index]
                  ? t('watch:feed.item', {
                      position: index + 1,
                      title: cards[index].title,
                      author: cards[index].author.displayName,
                    })
                  : t('watch:feed.endTitle')
              }
            >
              {cards[index] ? (
                <Slide
                  card={cards[index]}
                  player={playerOf(index)}
                  isCurrent={index === active}
                  caption={<Caption card={cards[index]} />}
                  {...actionsFor(cards[index])}
                />
              ) : (
                <EndSlide hasMore={hasMore} error={moreError} onRetry={loadMore} onTop={toTop} />
              )}
            </article>
          ))}
        </div>
      </section>
      <div className={styles['steps']}>
        <IconButton
          label={t('watch:feed.previous')}
          tone="soft"
          disabled={active === 0}
          onClick={() => step(-1)}
        >
          <ChevronUp aria-hidden />
        </IconButton>
        <IconButton
          label={t('watch:feed.next')}
          tone="soft"
          disabled={active >= cards.length}
          onClick={() => step(1)}
        >
          <ChevronDown aria-hidden />
        </IconButton>
        <IconButton label={t('watch:player.help')} onClick={() => setHelpOpen(true)}>
          <Keyboard size={20} aria-hidden />
        </IconButton>
      </div>
      {hasSide && (
        <aside ref={side} className={styles['side']} aria-label={t('watch:details.label')}>
          {card && <Panel key={card.id} card={card} />}
        </aside>
      )}
      <p className="visually-hidden" aria-live="polite">
        {card ? t('watch:feed.nowPlaying', { title: card.title, author: card.author.displayName }) : ''}
      </p>
      {card && <CommentsSheet key={card.id} card={card} open={isTalking} onOpenChange={setTalking} />}
      <KeysDialog open={isHelpOpen} onOpenChange={setHelpOpen} />
    </div>
  );
}

interface EndSlideProps {
  hasMore: boolean;
  error: unknown;
  onRetry(): void;
  onTop(): void;
}

function EndSlide({ hasMore, error, onRetry, onTop }: EndSlideProps) {
  const { t } = useTexts();
  if (error) {
    return (
      <div className={styles['stage']}>
        <ErrorNotice tone="over" title={t('watch:feed.moreFailed')} error={error} onRetry={onRetry} />
      </div>
    );
  }
  if (hasMore) {
    return (
      <div className={styles['stage']}>
        <Spinner size={44} />
      </div>
    );
  }
  return (
    <div className={styles['stage']}>
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

const endings = ['scrollend', 'wheel', 'touchstart'] as const;

/** Ties the scroll position to the active index, both ways. */
function useScroller(active: number, setActive: (index: number) => void) {
  const scroller = useRef<HTMLElement>(null);
  const first = useRef(active);
  const isReduced = useReducedMotion();
  const latest = useRef(active);
  latest.current = active;
  // Where a scroll under way will end: a second press of a key counts from there.
  const target = useRef<number | undefined>(undefined);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element) element.scrollTop = first.current * element.clientHeight;
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = () => {
      const index = Math.round(element.scrollTop / Math.max(1, element.clientHeight));
      if (index !== latest.current) setActive(index);
      if (isThere()) forget();
    };
    // A hand on the screen or the wheel takes over.
    const forget = () => {
      target.current = undefined;
    };
    const isThere = () =>
      target.current !== undefined && Math.abs(element.scrollTop - target.current * element.clientHeight) < 2;
    element.addEventListener('scroll', onScroll, { passive: true });
    for (const name of endings) element.addEventListener(name, forget, { passive: true });
    // Turning the phone changes the height of every slide: stay at the same one.
    const observer = new ResizeObserver(() => {
      element.scrollTop = latest.current * element.clientHeight;
    });
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', onScroll);
      for (const name of endings) element.removeEventListener(name, forget);
      observer.disconnect();
    };
  }, [setActive]);

  const goTo = (index: number) => {
    const element = scroller.current;
    if (!element) return;
    const isFar = Math.abs(index - latest.current) > 2;
    // Nowhere to go means no scroll, and so no end of one.
    if (Math.round(element.scrollTop) !== index * element.clientHeight) target.current = index;
    element.scrollTo({
      top: index * element.clientHeight,
      behavior: isReduced || isFar ? 'instant' : 'smooth',
    });
  };
  return { scroller, goTo, heading: () => target.current ?? latest.current };
}
