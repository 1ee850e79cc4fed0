import { Pause, Play, X } from 'lucide-react';
import { codeText } from '../../app/errors.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatBytes, formatDuration, formatPercent } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useStore } from '../../lib/use-store.ts';
import { Button } from '../../ui/button.tsx';
import { Progress } from '../../ui/progress.tsx';
import styles from './upload-page.module.css';
import type { UploadTask } from './upload-task.ts';

interface TransferProps {
  task: UploadTask;
  isRemoving: boolean;
  onRemove(): void;
}

/** The file's way to the server, and what can be done about it. */
export function Transfer({ task, isRemoving, onRemove }: TransferProps) {
  const { t } = useTexts();
  const state = useStore(task.state);
  // What the server has refused for good is refused again.
  const canResume =
    state.phase === 'paused' || (state.phase === 'failed' && !state.problem?.startsWith('media-'));
  return (
    <div className={styles['transfer']}>
      <div className={styles['head']}>
        <div className={styles['about']}>
          <b className={styles['file']}>{task.file.name}</b>
          <Words task={task} />
        </div>
        <div className={styles['actions']}>
          {(state.phase === 'uploading' || state.phase === 'waiting') && (
            <Button size="sm" icon={<Pause size={16} aria-hidden />} onClick={() => task.pause()}>
              {t('upload:pause')}
            </Button>
          )}
          {canResume && (
            <Button size="sm" icon={<Play size={16} aria-hidden />} onClick={() => task.start()}>
              {t('upload:resume')}
            </Button>
          )}
          <Button
            size="sm"
            tone="plain"
            busy={isRemoving}
            icon={<X size={16} aria-hidden />}
            onClick={onRemove}
          >
            {t('upload:remove')}
          </Button>
        </div>
      </div>
      {state.phase !== 'done' && (
        <Progress label={t('upload:uploading')} share={state.share} quiet={state.phase !== 'uploading'} />
      )}
    </div>
  );
}

function Words({ task }: { task: UploadTask }) {
  const { t } = useTexts();
  const language = useLanguage();
  const { phase, share, problem, bytesPerSecond } = useStore(task.state);
  const { size } = task.file;
  const total = formatBytes(size, language);
  if (phase === 'failed') {
    return (
      <p className={styles['problem']} role="alert">
        {codeText(problem)} {t(problem?.startsWith('media-') ? 'upload:chooseOther' : 'upload:keptSoFar')}
      </p>
    );
  }
  if (phase === 'done') {
    return (
      <p className={styles['fine']}>
        <span className={styles['good']}>{t('upload:uploaded')}</span> · {total}
      </p>
    );
  }
  const isChecking = phase === 'uploading' && share >= 1;
  const words = {
    waiting: t('upload:waiting'),
    paused: t('upload:paused'),
    uploading: isChecking ? t('upload:checking') : t('upload:uploading'),
  }[phase];
  return (
    <p className={styles['fine']}>
      {words} · {formatPercent(share, language)} · {formatBytes(size * share, language)} / {total}
      {bytesPerSecond !== undefined &&
        !isChecking &&
        ` · ${t('upload:speed', {
          speed: formatBytes(bytesPerSecond, language),
          time: formatDuration(((1 - share) * size * 1000) / bytesPerSecond),
        })}`}
    </p>
  );
}
