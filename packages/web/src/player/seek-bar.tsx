import type { Sprite } from '@hvideo/protocol';
import {
  type CSSProperties,
  type KeyboardEvent,
  type PointerEvent,
  useEffect,
  useRef,
  useState,
} from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { formatDuration } from '../lib/format.ts';
import type { Player } from './player.ts';
import styles from './seek-bar.module.css';
import { spriteTile } from './sprite.ts';

interface SeekBarProps {
  player: Player;
  durationMs: number;
  sprite: Sprite | null;
}

const previewEdge = 132;
const stepSeconds = 5;

/** Where the video is, and a way to be elsewhere. Drawn straight to the element, sixty times a second at most. */
export function SeekBar({ player, durationMs, sprite }: SeekBarProps) {
  const { t } = useTexts();
  const bar = useRef<HTMLDivElement>(null);
  const [preview, setPreview] = useState<number | undefined>(undefined);
  const [isDragging, setDragging] = useState(false);
  const seconds = useProgress(player, bar, durationMs);
  const shareAt = (event: PointerEvent) => {
    const box = bar.current?.getBoundingClientRect();
    return box ? Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) : 0;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const now = player.video.currentTime;
    const target = {
      ArrowLeft: now - stepSeconds,
      ArrowRight: now + stepSeconds,
      Home: 0,
      End: durationMs / 1000,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    player.seek(target);
  };
  return (
    <div
      ref={bar}
      className={styles['bar']}
      data-dragging={isDragging || undefined}
      role="slider"
      tabIndex={0}
      aria-label={t('watch:player.seek')}
      aria-valuemin={0}
      aria-valuemax={Math.round(durationMs / 1000)}
      aria-valuenow={seconds}
      aria-valuetext={t('watch:player.seekValue', {
        current: formatDuration(seconds * 1000),
        total: formatDuration(durationMs),
      })}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDragging(true);
        setPreview(shareAt(event));
      }}
      onPointerMove={(event) => {
        if (isDragging || event.pointerType === 'mouse') setPreview(shareAt(event));
      }}
      onPointerUp={(event) => {
        if (isDragging) player.seek((shareAt(event) * durationMs) / 1000);
        setDragging(false);
        if (event.pointerType !== 'mouse') setPreview(undefined);
      }}
      onPointerCancel={() => {
        setDragging(false);
        setPreview(undefined);
      }}
      onPointerLeave={() => {
        if (!isDragging) setPreview(undefined);
      }}
    >
      <div className={styles['track']}>
        <div className={styles['fill']} />
      </div>
      <div className={styles['knob']} />
      {preview !== undefined && <Preview share={preview} durationMs={durationMs} sprite={sprite} />}
    </div>
  );
}

function Preview({
  share,
  durationMs,
  sprite,
}: {
  share: number;
  durationMs: number;
  sprite: Sprite | null;
}) {
  const timeMs = share * durationMs;
  const place: CSSProperties = { left: `${share * 100}%` };
  if (sprite === null) {
    return (
      <div className={styles['preview']} style={place}>
        <span>{formatDuration(timeMs)}</span>
      </div>
    );
  }
  const { x, y } = spriteTile(sprite, timeMs);
  const scale = previewEdge / Math.max(sprite.tileWidth, sprite.tileHeight);
  const still: CSSProperties = {
    width: sprite.tileWidth * scale,
    height: sprite.tileHeight * scale,
    backgroundImage: `url(${JSON.stringify(sprite.url)})`,
    backgroundPosition: `${-x * scale}px ${-y * scale}px`,
    backgroundSize: `${sprite.columns * sprite.tileWidth * scale}px ${sprite.rows * sprite.tileHeight * scale}px`,
  };
  return (
    <div className={styles['preview']} style={place}>
      <div className={styles['still']} style={still} />
      <span>{formatDuration(timeMs)}</span>
    </div>
  );
}

/** Moves the bar with the video; answers whole seconds, for screen readers. */
function useProgress(player: Player, bar: { current: HTMLElement | null }, durationMs: number): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    let frame = 0;
    const draw = () => {
      const now = player.video.currentTime;
      bar.current?.style.setProperty('--share', String(Math.min(1, (now * 1000) / Math.max(1, durationMs))));
      setSeconds(Math.floor(now));
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [player, bar, durationMs]);
  return seconds;
}
