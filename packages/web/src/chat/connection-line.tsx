import type { ChatFailure, ChatPhase } from '@hvideo/client';
import { CloudOff } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import { useOnline } from '../lib/use-online.ts';
import { Button } from '../ui/button.tsx';
import styles from './conversation-pane.module.css';
import { failureText } from './failure.ts';
import { useChat, useObservable } from './use-chat.ts';

/** Between two tries: it would come and go otherwise. */
const isAgain = (phase: ChatPhase, failure: ChatFailure | null) => phase === 'connecting' && failure !== null;

/** Says so while messages wait; otherwise it takes no room. */
export function ConnectionLine() {
  const { t } = useTexts();
  const chat = useChat();
  const { phase, failure } = useObservable(chat.status);
  const isOnline = useOnline();
  const isOver = phase === 'stopped' || phase === 'closed';
  const isWaiting =
    !isOver && (!isOnline || phase === 'waiting' || phase === 'offline' || isAgain(phase, failure));
  return (
    <div role="status" className={styles['status']}>
      {isWaiting && (
        <p className={styles['line']}>
          <CloudOff size={16} aria-hidden />
          <span>{t('chat:connection.waiting')}</span>
          {isOnline && phase === 'waiting' && (
            <Button size="sm" tone="plain" onClick={() => chat.reconnect()}>
              {t('actions.retry')}
            </Button>
          )}
        </p>
      )}
      {isOver && (
        <p className={styles['line']}>
          <CloudOff size={16} aria-hidden />
          <span>{failureText(failure ?? { code: 'closed', detail: null })}</span>
        </p>
      )}
    </div>
  );
}
