import type { VideoCard } from '@hvideo/protocol';
import { useQuery } from '@tanstack/react-query';
import { Play, RotateCcw, VideoOff } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { isNotFound } from '../../app/query.ts';
import { useViewing } from '../../history/use-viewing.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { useStore } from '../../lib/use-store.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Player } from '../../player/player.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Wordmark } from '../../ui/logo.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { Controls } from './embed-controls.tsx';
import styles from './embed-page.module.css';
import { embeddedQuery, renewAsVisitor, visitor } from './visitor.ts';

/** One video for a frame on another site. Every link opens a page of its own: nothing else is ever shown in here. */
export function EmbedPage({ id }: { id: string }) {
  const { t } = useTexts();
  const query = useQuery(embeddedQuery(id));
  useTitle(query.data?.title);
  if (query.data) return <EmbedPlayer card={query.data} />;
  if (isNotFound(query.error)) {
    return (
      <div className={styles['stage']}>
        <Notice
          compact
          tone="over"
          heading="h1"
          icon={<VideoOff size={28} aria-hidden />}
          title={t('share:embedGone')}
          actions={
            <a href="/" target="_blank" rel="noopener" className={buttonClass({ tone: 'over', size: 'sm' })}>
              {t('appName')}
            </a>
          }
        />
      </div>
    );
  }
  return (
    <div className={styles['stage']}>
      {query.isError ? (
        <ErrorNotice
          tone="over"
          error={query.error}
          busy={query.isFetching}
          onRetry={() => void query.refetch()}
        />
      ) : (
        <Spinner size={40} />
      )}
    </div>
  );
}

/** How long the controls stay after the last sign of a viewer. */
const quietMs = 2_600;
const signs = ['pointermove', 'pointerdown', 'keydown'] as const;

function EmbedPlayer({ card }: { card: VideoCard }) {
  const { t } = useTexts();
  const frame = useRef<HTMLDivElement>(null);
  const [player] = useState(() => new Player(document.createElement('video'), renewAsVisitor));
  const state = useStore(player.state);
  const [hasStarted, setStarted] = useState(false);
  const isQuiet = useQuiet();
  useViewing(card, player, visitor);
  useEffect(
    () => () => {
      player.setActive(false);
      player.unload();
    },
    [player],
  );
  const isPlaying = state.phase === 'playing';
  const start = () => {
    if (card.playlistUrl === null) return;
    setStarted(true);
    // Somebody has pressed play: the browser lets sound through.
    player.setSound(true);
    player.load({ id: card.id, url: card.playlistUrl });
    player.setActive(true);
  };
  const toggle = () => (hasStarted ? player.toggle() : start());
  return (
    <div ref={frame} className={classes(styles['stage'], isPlaying && isQuiet && styles['quiet'])}>
      {card.coverUrl && <img className={styles['backdrop']} src={card.coverUrl} alt="" aria-hidden />}
      {card.coverUrl && <img className={styles['picture']} src={card.coverUrl} alt="" />}
      <VideoHost player={player} />
      <button
        type="button"
        className={styles['surface']}
        aria-label={isPlaying ? t('watch:player.pause') : t('watch:player.play')}
        onClick={toggle}
      />
      <Middle player={player} hasStarted={hasStarted} />
      <Head card={card} />
      {hasStarted && state.phase !== 'failed' && <Controls card={card} player={player} frame={frame} />}
    </div>
  );
}

/** True after a while without a sign of the viewer. */
function useQuiet(): boolean {
  const [isQuiet, setQuiet] = useState(false);
  useEffect(() => {
    let timer = setTimeout(() => setQuiet(true), quietMs);
    const stir = () => {
      setQuiet(false);
      clearTimeout(timer);
      timer = setTimeout(() => setQuiet(true), quietMs);
    };
    for (const sign of signs) addEventListener(sign, stir, { passive: true });
    return () => {
      clearTimeout(timer);
      for (const sign of signs) removeEventListener(sign, stir);
    };
  }, []);
  return isQuiet;
}

function VideoHost({ player }: { player: Player }) {
  const host = useRef<HTMLDivElement>(null);
  const { hasPicture } = useStore(player.state);
  useEffect(() => {
    host.current?.append(player.video);
  }, [player]);
  return <div ref={host} className={classes(styles['host'], hasPicture && styles['shown'])} />;
}

/** The large sign in the middle: play, wait, or what went wrong. */
function Middle({ player, hasStarted }: { player: Player; hasStarted: boolean }) {
  const { t } = useTexts();
  const { phase, fault, isBuffering } = useStore(player.state);
  if (phase === 'failed') {
    const text = fault === 'gone' ? 'gone' : fault === 'unsupported' ? 'unsupported' : 'failed';
    return (
      <div className={classes(styles['middle'], styles['fault'])} role="alert">
        <Notice
          compact
          tone="over"
          title={t(`watch:player.${text}`)}
          actions={
            text === 'failed' && (
              <Button
                tone="over"
                size="sm"
                icon={<RotateCcw size={16} aria-hidden />}
                onClick={() => player.retry()}
              >
                {t('actions.retry')}
              </Button>
            )
          }
        />
      </div>
    );
  }
  const isWaiting = hasStarted && (phase === 'loading' || isBuffering);
  const isStill = !hasStarted || phase === 'paused' || phase === 'blocked';
  if (!isWaiting && !isStill) return null;
  return (
    <div className={styles['middle']} aria-hidden>
      {isWaiting ? (
        <Spinner size={44} />
      ) : (
        <span className={styles['play']}>
          <Play size={30} fill="currentColor" />
        </span>
      )}
    </div>
  );
}

function Head({ card }: { card: VideoCard }) {
  const { t } = useTexts();
  const page = `/v/${card.id}`;
  return (
    <header className={styles['head']}>
      <a href={`/@${card.author.username}`} target="_blank" rel="noopener" className={styles['author']}>
        <Avatar user={card.author} size={36} decorative={false} />
      </a>
      <a href={page} target="_blank" rel="noopener" className={styles['words']}>
        <strong>{card.title}</strong>
        <small>{card.author.displayName}</small>
      </a>
      <a
        href={page}
        target="_blank"
        rel="noopener"
        className={styles['logo']}
        aria-label={t('share:watchOn', { name: t('appName') })}
      >
        <Wordmark />
      </a>
    </header>
  );
}
