import type { TranscodeProgress } from '@hvideo/protocol';
import { codeText, errorText } from '../app/errors.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { formatDuration, formatPercent } from '../lib/format.ts';
import { useLanguage } from '../lib/use-language.ts';
import { Progress } from '../ui/progress.tsx';
import styles from './transcode-line.module.css';

interface TranscodeLineProps {
  title: string;
  progress: TranscodeProgress | undefined;
  error: unknown;
}

/** How far a video has come, and how long it still takes. */
export function TranscodeLine({ title, progress, error }: TranscodeLineProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const stage = progress?.stage ?? 'queued';
  const percent = progress?.percent ?? 0;
  const hasFailed = error !== undefined || progress?.failure != null;
  const text =
    error !== undefined
      ? errorText(error)
      : progress?.failure
        ? codeText(progress.failure.code)
        : t(`upload:stages.${stage}`);
  const eta = progress?.etaMs != null && progress.etaMs > 0 && stage !== 'done' ? progress.etaMs : undefined;
  return (
    <div className={styles['line']}>
      <p>
        <span role="status" className={hasFailed ? styles['failed'] : undefined}>
          {text}
        </span>
        {!hasFailed && (
          <span className={styles['figures']}>
            {formatPercent(percent / 100, language)}
            {eta !== undefined && ` · ${t('upload:timeLeft', { time: formatDuration(eta) })}`}
          </span>
        )}
      </p>
      {!hasFailed && <Progress label={title} share={percent / 100} />}
    </div>
  );
}
