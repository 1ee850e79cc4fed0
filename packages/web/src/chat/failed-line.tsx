import type { ChatFailure, ViewMessage } from '@hvideo/client';
import { useTexts } from '../i18n/use-texts.ts';
import { failureText } from './failure.ts';
import styles from './message-row.module.css';
import { useTimeline } from './timeline-context.ts';

interface FailedLineProps {
  message: ViewMessage;
  failure: ChatFailure | null;
}

/** Why it was not sent, and what can be done about it. */
export function FailedLine({ message, failure }: FailedLineProps) {
  const { t } = useTexts();
  const { conversation } = useTimeline();
  return (
    <p className={styles['failed']} role="alert">
      <span>{failure ? t('chat:failed', { reason: failureText(failure) }) : t('chat:state.failed')}</span>
      <span>
        <button type="button" onClick={() => conversation.retry(message.key)}>
          {t('chat:resend')}
        </button>
        <button type="button" onClick={() => conversation.discard(message.key)}>
          {t('chat:discard')}
        </button>
      </span>
    </p>
  );
}
