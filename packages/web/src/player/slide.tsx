import type { VideoCard } from '@hvideo/protocol';
import { Maximize, Minimize, Pause, Play, RotateCcw, Volume2, VolumeX } from 'lucide-react';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { setSound, soundOn } from '../app/sound.ts';
import { type Burst, HeartBurst } from '../engagement/heart-burst.tsx';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { useStore } from '../lib/use-store.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { Spinner } from '../ui/spinner.tsx';
import type { Player } from './player.ts';
import { SeekBar } from './seek-bar.tsx';
import styles from './slide.module.css';
import { toggleFullscreen, useFullscreen } from './use-fullscreen.ts';

interface SlideProps {
  card: VideoCard;
  /** The player that holds this video; none for slides further off. */
  player: Player | undefined;
  isCurrent: boolean;
  /** Author, title and the rest, over the lower edge. */
  caption?: ReactNode;
  /** What one can do with it, over the right edge. */
  actions?: ReactNode;
  /** The picture was tapped twice. */
  onLike?: (() => void) | undefined;
  /** Lies on the upper edge. */
  marker?: ReactNode;
}

/** One video with everything that lies on the picture. */
export function Slide({ card, player, isCurrent, caption, actions, onLike, marker }: SlideProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  const coverUrl = card.coverUrl === brokenUrl ? null : card.coverUrl;
  const ratio = (card.width ?? 9) / (card.height ?? 16);
  return (
    <div className={styles['slide']} style={{ '--ratio': ratio } as React.CSSProperties}>
      {coverUrl && <img className={styles['ambient']} src={coverUrl} alt="" aria-hidden />}
      <div
        ref={frame}
        className={classes(
          styles['frame'],
          ratio < 0.65 && styles['upright'],
          actions !== undefined && styles['railed'],
        )}
        data-frame
      >
        {coverUrl && (
          <>
            <img className={styles['backdrop']} src={coverUrl} alt="" aria-hidden />
            <img
              className={styles['cover']}
              src={coverUrl}
              alt=""
              draggable={false}
              onError={() => setBrokenUrl(coverUrl)}
            />
          </>
        )}
        {player && <VideoHost player={player} />}
        {player && isCurrent ? (
          <Controls card={card} player={player} frame={frame} caption={caption} onLike={onLike} />
        ) : (
          <div className={styles['shade']}>{caption}</div>
        )}
        {actions}
        {marker}
        {card.playlistUrl === null && <Preparing />}
      </div>
    </div>
  );
}

/** Takes the player's element in; it leaves again when another slide does, never by React's hand. */
function VideoHost({ player }: { player: Player }) {
  const host = useRef<HTMLDivElement>(null);
  const { hasPicture } = useStore(player.state);
  useEffect(() => {
    host.current?.append(player.video);
  }, [player]);
  return <div ref={host} className={classes(styles['host'], hasPicture && styles['shown'])} />;
}

function Preparing() {
  const { t } = useTexts();
  return (
    <div className={styles['center']}>
      <p className={styles['chip']}>{t('watch:player.preparing')}</p>
    </div>
  );
}

interface ControlsProps {
  card: VideoCard;
  player: Player;
  frame: { current: HTMLElement | null };
  caption: ReactNode;
  onLike: (() => void) | undefined;
}

function Controls({ card, player, frame, caption, onLike }: ControlsProps) {
  const { t } = useTexts();
  const state = useStore(player.state);
  const { bursts, onTap, endBurst } = useTaps(player, onLike);
  const isPaused = state.phase === 'paused' || state.phase === 'blocked';
  if (state.phase === 'failed') {
    const text = state.fault === 'gone' ? 'gone' : state.fault === 'unsupported' ? 'unsupported' : 'failed';
    return (
      <div className={styles['fault']} role="alert">
        <Notice
          compact
          tone="over"
          title={t(`watch:player.${text}`)}
          actions={
            text === 'failed' && (
              <Button tone="over" icon={<RotateCcw size={18} aria-hidden />} onClick={() => player.retry()}>
                {t('actions.retry')}
              </Button>
            )
          }
        />
      </div>
    );
  }
  return (
    <>
      <button
        type="button"
        className={styles['surface']}
        aria-label={isPaused ? t('watch:player.play') : t('watch:player.pause')}
        onClick={onTap}
      />
      {bursts.map((burst) => (
        <HeartBurst key={burst.id} burst={burst} onDone={endBurst} />
      ))}
      {isPaused && (
        <div className={styles['center']} aria-hidden>
          <span className={styles['play']}>
            <Play size={36} fill="currentColor" />
          </span>
        </div>
      )}
      <Buffering shown={card.playlistUrl !== null && (state.isBuffering || state.phase === 'loading')} />
      <SoundHint player={player} isSilenced={state.isSilenced} />
      <div className={styles['shade']}>
        {caption}
        <div className={styles['controls']}>
          <IconButton
            label={isPaused ? t('watch:player.play') : t('watch:player.pause')}
            className={styles['wide']}
            tone="over"
            size="sm"
            onClick={() => player.toggle()}
          >
            {isPaused ? (
              <Play size={18} fill="currentColor" aria-hidden />
            ) : (
              <Pause size={18} fill="currentColor" aria-hidden />
            )}
          </IconButton>
          <div className={styles['seek']}>
            {card.durationMs !== null && (
              <SeekBar player={player} durationMs={card.durationMs} sprite={card.sprite} />
            )}
          </div>
          <SoundButton />
          <FullscreenButton frame={frame} />
        </div>
      </div>
    </>
  );
}

/** Two taps within so long mean one thing. */
const doubleTapMs = 300;

/** One tap plays or pauses, at once. A second one takes that back, and likes. */
function useTaps(player: Player, onLike: (() => void) | undefined) {
  const [bursts, setBursts] = useState<readonly Burst[]>([]);
  const lastTapMs = useRef(Number.NEGATIVE_INFINITY);
  const endBurst = useCallback(() => setBursts((shown) => shown.slice(1)), []);
  const onTap = (event: React.MouseEvent) => {
    player.toggle();
    // The space bar has no place in the picture.
    if (!onLike || event.detail === 0) return;
    const isSecond = event.timeStamp - lastTapMs.current < doubleTapMs;
    lastTapMs.current = isSecond ? Number.NEGATIVE_INFINITY : event.timeStamp;
    if (!isSecond) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const burst = { id: Math.round(event.timeStamp), x: event.clientX - left, y: event.clientY - top };
    setBursts((shown) => [...shown, burst]);
    onLike();
  };
  return { bursts, onTap, endBurst };
}

/** Shown only when loading takes long enough to be noticed. */
function Buffering({ shown }: { shown: boolean }) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setLate(true), 350);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [shown]);
  return isLate ? (
    <div className={styles['center']}>
      <Spinner size={44} />
    </div>
  ) : null;
}

function SoundButton() {
  const { t } = useTexts();
  const isOn = useStore(soundOn);
  return (
    <IconButton
      label={isOn ? t('watch:player.mute') : t('watch:player.unmute')}
      tone="over"
      size="sm"
      onClick={() => setSound(!isOn)}
    >
      {isOn ? <Volume2 size={19} aria-hidden /> : <VolumeX size={19} aria-hidden />}
    </IconButton>
  );
}

function SoundHint({ player, isSilenced }: { player: Player; isSilenced: boolean }) {
  const { t } = useTexts();
  if (!isSilenced) return null;
  return (
    <Button
      tone="over"
      size="sm"
      className={styles['hint'] ?? ''}
      icon={<VolumeX size={18} aria-hidden />}
      onClick={() => player.setSound(true)}
    >
      {t('watch:player.tapForSound')}
    </Button>
  );
}

function FullscreenButton({ frame }: { frame: { current: HTMLElement | null } }) {
  const { t } = useTexts();
  const isFullscreen = useFullscreen();
  if (!document.fullscreenEnabled) return null;
  return (
    <IconButton
      label={isFullscreen ? t('watch:player.exitFullscreen') : t('watch:player.fullscreen')}
      className={styles['wide']}
      tone="over"
      size="sm"
      onClick={() => toggleFullscreen(frame.current)}
    >
      {isFullscreen ? <Minimize size={18} aria-hidden /> : <Maximize size={18} aria-hidden />}
    </IconButton>
  );
}
