import type { FeedPosition, VideoCard } from '@hvideo/protocol';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { feedTapped } from '../../app/feed-tap.ts';
import { CommentsSheet, leadToComments } from '../../comments/comments.tsx';
import { ActionRail } from '../../engagement/action-rail.tsx';
import { react, useSignedIn } from '../../engagement/react.ts';
import { useViewing } from '../../history/use-viewing.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatAgo } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useMedia } from '../../lib/use-media.ts';
import { KeysDialog } from '../../player/keys-dialog.tsx';
import { mountedRange, wantsMore } from '../../player/pool.ts';
import { Slide } from '../../player/slide.tsx';
import { usePlayerKeys } from '../../player/use-keys.ts';
import { usePool } from '../../player/use-pool.ts';
import { usePreload } from '../../player/use-preload.ts';
import { Caption } from '../../watch/caption.tsx';
import { Panel } from '../../watch/panel.tsx';
import { entryOf, FEED_PAGE_SIZE, type FeedKind } from '../../watch/queries.ts';
import { EndSlide } from './end-slide.tsx';
import styles from './feed-page.module.css';
import { Steps } from './steps.tsx';
import { SeenMarker, TopLayer } from './top-layer.tsx';
import { useAnchor } from './use-anchor.ts';
import { placeOf, useOffer } from './use-offer.ts';
import { usePull } from './use-pull.ts';
import { useReading } from './use-reading.ts';
import { useRefresh } from './use-refresh.ts';
import { useScroller } from './use-scroller.ts';

interface ReelProps {
  kind: FeedKind;
  /** The cursor that the list began with; undefined at the top. */
  from: string | undefined;
  /** Where one was last time. */
  position: FeedPosition | null | undefined;
  cards: readonly VideoCard[];
  hasMore: boolean;
  isLoadingMore: boolean;
  moreError: unknown;
  loadMore(): void;
  /** What is above the first card was let go of. */
  isTrimmed: boolean;
  /** Forgets cards that are far above this one. */
  letGo(active: number): void;
  /** Reads the feed anew, from the top. */
  startOver(): void;
}

/** Where each feed was left, by the entry: coming back from a profile goes on there. */
const lastSeen = new Map<string, string>();

/** The videos, one to a screen. The slide after the last one says that it was the last. */
export function Reel(props: ReelProps) {
  const { kind, from, position, cards, hasMore, isLoadingMore, moreError, loadMore, isTrimmed, letGo } =
    props;
  const { t } = useTexts();
  const list = `${kind} ${from ?? ''}`;
  const entries = useMemo(() => cards.map(entryOf), [cards]);
  const [isFresh] = useState(() => !lastSeen.has(list));
  const { active, origin, setActive } = useAnchor(entries, firstIndex(entries, list));
  const playerOf = usePool(cards, active, origin);
  const player = playerOf(active);
  const { scroller, goTo, heading } = useScroller(active, origin, setActive);
  const card = cards[active];
  const entry = entries[active];
  useViewing(card, player);
  usePreload(cards, active, player);
  useReading(kind === 'following' ? entry : undefined, position);

  useEffect(() => {
    if (entry !== undefined) lastSeen.set(list, entry);
  }, [list, entry]);
  useEffect(() => {
    if (hasMore && !isLoadingMore && !moreError && wantsMore(active, cards.length, FEED_PAGE_SIZE)) {
      letGo(active);
      loadMore();
    }
  });

  const navigate = useNavigate();
  const startOver = () => {
    lastSeen.delete(list);
    if (from === undefined) props.startOver();
    else toTop();
  };
  const toTop = () => {
    if (from !== undefined) void navigate({ to: '/following', search: {} });
    else if (isTrimmed) startOver();
    else goTo(0);
  };
  const refreshing = useRefresh({ kind, entries, isDeep: from !== undefined, goTo, toTop });
  const sign = useRef<HTMLDivElement>(null);
  const pull = usePull(scroller, sign, refreshing.refreshNow);
  const place = useMemo(() => placeOf(cards, position), [cards, position]);
  const offer = useOffer(position, isFresh && from === undefined);
  const continueThere = () => {
    offer.settle();
    if (place && !place.isBeyond) goTo(place.index);
    else if (position) void navigate({ to: '/following', search: { from: position.cursor } });
  };
  const { side, hasSide, isTalking, setTalking, openComments } = useComments();
  const signedIn = useSignedIn();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const step = (by: 1 | -1) => goTo(Math.min(cards.length, Math.max(0, heading() + by)));
  const keys = {
    player,
    step,
    refresh: pull.run,
    like: () => card && signedIn(() => react(card, 'likes', !card.viewer.liked)),
    showHelp: () => setHelpOpen(true),
  };
  const targets = useRef(keys);
  useLayoutEffect(() => {
    targets.current = keys;
  });
  usePlayerKeys(targets);
  useEffect(() => feedTapped.on(() => targets.current.refresh()), []);
  const label = (shown: VideoCard, index: number) =>
    t('watch:feed.item', { position: index + 1, title: shown.title, author: shown.author.displayName });

  return (
    <div className={styles['reel']}>
      <div className={styles['main']}>
        <TopLayer
          {...{ sign, phase: pull.phase, onTop: toTop, onNews: refreshing.showNews }}
          {...{ newCount: refreshing.newCount, isMany: refreshing.isMany }}
          isBelowTop={(from !== undefined || isTrimmed) && active === 0}
          offer={
            offer.isOpen && place && active < place.index
              ? { above: place.index, isMore: place.isBeyond, take: continueThere, dismiss: offer.settle }
              : undefined
          }
        />
        <section
          ref={scroller}
          className={styles['scroller']}
          aria-label={t('watch:feed.label')}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
        >
          <div className={styles['track']} style={{ height: `${(cards.length + 1) * 100}%` }}>
            {mountedRange(active, cards.length + 1).map((index) => {
              const shown = cards[index];
              return (
                <article
                  key={entries[index] ?? 'end'}
                  className={styles['item']}
                  style={{
                    top: `${(index * 100) / (cards.length + 1)}%`,
                    height: `${100 / (cards.length + 1)}%`,
                  }}
                  inert={index !== active}
                  aria-label={shown ? label(shown, index) : t('watch:feed.endTitle')}
                >
                  {shown ? (
                    <Slide
                      card={shown}
                      player={playerOf(index)}
                      isCurrent={index === active}
                      caption={<Caption card={shown} />}
                      actions={<ActionRail card={shown} onComments={openComments} />}
                      onLike={() => signedIn(() => react(shown, 'likes', true))}
                      marker={position && place?.index === index && <Seen readAt={position.readAt} />}
                    />
                  ) : (
                    <EndSlide {...{ kind, hasMore, error: moreError, onRetry: loadMore, onTop: startOver }} />
                  )}
                </article>
              );
            })}
          </div>
        </section>
      </div>
      <Steps
        {...{ step, isFirst: active === 0, isLast: active >= cards.length }}
        isRefreshing={pull.phase === 'busy'}
        onRefresh={pull.run}
        onHelp={() => setHelpOpen(true)}
      />
      {hasSide && (
        <aside ref={side} className={styles['side']} aria-label={t('watch:details.label')}>
          {card && <Panel key={entry} card={card} />}
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

function firstIndex(entries: readonly string[], list: string): number {
  const seen = lastSeen.get(list);
  return seen === undefined ? 0 : Math.max(0, entries.indexOf(seen));
}

/** Comments stand in the side panel where there is room for one, else in a sheet. */
function useComments() {
  const [isTalking, setTalking] = useState(false);
  const side = useRef<HTMLElement>(null);
  // The CSS modules use the same number.
  const hasSide = useMedia('(min-width: 75rem)');
  const openComments = () => {
    if (!hasSide) setTalking(true);
    else leadToComments(side.current);
  };
  return { side, hasSide, isTalking, setTalking, openComments };
}

function Seen({ readAt }: { readAt: string }) {
  const language = useLanguage();
  return <SeenMarker time={formatAgo(readAt, language, Date.now())} />;
}
