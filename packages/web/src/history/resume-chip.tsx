import { RotateCcw } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { formatDuration } from '../lib/format.ts';
import styles from './resume-chip.module.css';
import type { Resumed } from './use-resume.ts';

const shownMs = 7_000;

/** Says for a moment that the video went on where it was left, with the way back to its beginning. */
export function ResumeChip({ resumed }: { resumed: Resumed | undefined }) {
  const { t } = useTexts();
  const dismiss = useRef(resumed?.dismiss);
  dismiss.current = resumed?.dismiss;
  const isShown = resumed !== undefined;
  useEffect(() => {
    if (!isShown) return;
    const timer = setTimeout(() => dismiss.current?.(), shownMs);
    return () => clearTimeout(timer);
  }, [isShown]);
  return (
    <div role="status" className={styles['place']}>
      {resumed && (
        <p className={styles['chip']}>
          <span>{t('lists:resumed', { time: formatDuration(resumed.atMs) })}</span>
          <button type="button" onClick={resumed.startOver}>
            <RotateCcw size={15} aria-hidden />
            {t('lists:startOver')}
          </button>
        </p>
      )}
    </div>
  );
}
