import { useEffect, useRef, useState } from 'react';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatDuration } from '../../lib/format.ts';
import styles from './upload-page.module.css';

interface CoverPickerProps {
  file: File;
  timeMs: number | undefined;
  onPick(timeMs: number): void;
}

/** Shows the local file and lets its still be chosen; nothing at all where the browser cannot play it. */
export function CoverPicker({ file, timeMs, onPick }: CoverPickerProps) {
  const { t } = useTexts();
  const video = useRef<HTMLVideoElement>(null);
  const [url, setUrl] = useState<string | undefined>(undefined);
  const [durationMs, setDurationMs] = useState(0);
  const [isUnplayable, setUnplayable] = useState(false);
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  if (url === undefined || isUnplayable) return null;
  const pick = (ms: number) => {
    if (video.current) video.current.currentTime = ms / 1000;
    onPick(ms);
  };
  return (
    <div className={styles['preview']}>
      <video
        ref={video}
        src={url}
        muted
        playsInline
        preload="auto"
        aria-label={t('upload:preview')}
        onLoadedMetadata={({ currentTarget }) => {
          if (Number.isFinite(currentTarget.duration)) setDurationMs(currentTarget.duration * 1000);
        }}
        onError={() => setUnplayable(true)}
      />
      {durationMs > 0 && (
        <label className={styles['cover']}>
          <span>
            {t('upload:cover')} · {formatDuration(timeMs ?? 0)} / {formatDuration(durationMs)}
          </span>
          <input
            type="range"
            min={0}
            max={Math.floor(durationMs)}
            step={100}
            value={timeMs ?? 0}
            aria-valuetext={formatDuration(timeMs ?? 0)}
            onChange={(event) => pick(event.currentTarget.valueAsNumber)}
          />
        </label>
      )}
    </div>
  );
}
