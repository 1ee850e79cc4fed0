import { useTexts } from '../i18n/use-texts.ts';
import { formatDuration } from '../lib/format.ts';
import styles from './covers.module.css';

interface CoverSliderProps {
  timeMs: number;
  durationMs: number;
  onPick(timeMs: number): void;
}

const stepMs = 100;

/** Any moment of the video as its cover. */
export function CoverSlider({ timeMs, durationMs, onPick }: CoverSliderProps) {
  const { t } = useTexts();
  return (
    <label className={styles['slider']}>
      <span>
        {t('upload:cover')}
        <small>
          {formatDuration(timeMs)} / {formatDuration(durationMs)}
        </small>
      </span>
      <input
        type="range"
        min={0}
        max={Math.max(0, Math.floor(durationMs) - stepMs)}
        step={stepMs}
        value={timeMs}
        aria-valuetext={formatDuration(timeMs)}
        onChange={(event) => onPick(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
