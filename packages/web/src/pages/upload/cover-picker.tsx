import { Film } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTexts } from '../../i18n/use-texts.ts';
import { CoverSlider } from '../../videos/cover-slider.tsx';
import styles from './upload-page.module.css';

interface CoverPickerProps {
  file: File;
  timeMs: number | undefined;
  onPick(timeMs: number): void;
}

/** Shows the local file and lets its still be chosen; where the browser cannot play it, says when that can be done. */
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
  const pick = (ms: number) => {
    if (video.current) video.current.currentTime = ms / 1000;
    onPick(ms);
  };
  if (isUnplayable) {
    return (
      <div className={styles['noPreview']}>
        <Film size={30} aria-hidden />
        <p>{t('upload:noPreview')}</p>
      </div>
    );
  }
  return (
    <div className={styles['preview']}>
      <div className={styles['screen']}>
        {url !== undefined && (
          <video
            ref={video}
            src={url}
            muted
            playsInline
            preload="auto"
            aria-label={t('upload:preview')}
            onLoadedMetadata={({ currentTarget }) => {
              if (Number.isFinite(currentTarget.duration)) setDurationMs(currentTarget.duration * 1000);
              // A file whose picture the browser cannot decode still plays its sound.
              if (currentTarget.videoWidth === 0) setUnplayable(true);
            }}
            onError={() => setUnplayable(true)}
          />
        )}
      </div>
      {durationMs > 0 && <CoverSlider timeMs={timeMs ?? 0} durationMs={durationMs} onPick={pick} />}
    </div>
  );
}
