import { CloudOff, WifiOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { errorText } from '../app/errors.ts';
import { isOffline } from '../app/query.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { Button } from './button.tsx';
import styles from './notice.module.css';

interface NoticeProps {
  icon?: ReactNode;
  title: string;
  text?: string | undefined;
  /** Buttons or links. */
  actions?: ReactNode;
  /** `over` stands on the dark stage of the player in both themes. */
  tone?: 'page' | 'over';
  compact?: boolean;
  heading?: 'h1' | 'h2' | 'h3';
}

/** Says why there is nothing to see and what to do: empty, end, not found, signed out. */
export function Notice({
  icon,
  title,
  text,
  actions,
  tone = 'page',
  compact = false,
  heading: Heading = 'h2',
}: NoticeProps) {
  return (
    <div className={classes(styles['notice'], styles[tone], compact && styles['compact'])}>
      {icon && <div className={styles['icon']}>{icon}</div>}
      <Heading className={styles['title']}>{title}</Heading>
      {text && <p className={styles['text']}>{text}</p>}
      {actions && <div className={styles['actions']}>{actions}</div>}
    </div>
  );
}

interface ErrorNoticeProps {
  error: unknown;
  title?: string;
  onRetry?: () => void;
  busy?: boolean;
  tone?: 'page' | 'over';
  compact?: boolean;
}

export function ErrorNotice({
  error,
  title,
  onRetry,
  busy = false,
  tone = 'page',
  compact,
}: ErrorNoticeProps) {
  const { t } = useTexts();
  const offline = isOffline(error);
  const Icon = offline ? WifiOff : CloudOff;
  return (
    <div role="alert">
      <Notice
        icon={<Icon size={compact ? 24 : 32} aria-hidden />}
        title={offline ? t('error.offlineTitle') : (title ?? t('error.title'))}
        text={errorText(error)}
        tone={tone}
        {...(compact !== undefined && { compact })}
        actions={
          onRetry && (
            <Button tone={tone === 'over' ? 'over' : 'soft'} busy={busy} onClick={onRetry}>
              {t('actions.retry')}
            </Button>
          )
        }
      />
    </div>
  );
}
