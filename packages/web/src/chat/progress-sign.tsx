import type { SendState } from '@hvideo/client';
import { Check, CheckCheck, CircleAlert, Clock3 } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import styles from './progress-sign.module.css';
import { useIsConnected } from './use-chat.ts';

const icons = { sending: Clock3, sent: Check, delivered: CheckCheck, read: CheckCheck, failed: CircleAlert };

/** How far one's own message has come, as a small sign. */
export function ProgressSign({ state }: { state: SendState }) {
  const { t } = useTexts();
  const isConnected = useIsConnected();
  const Icon = icons[state];
  const label = t(`chat:state.${state === 'sending' && !isConnected ? 'waiting' : state}`);
  return (
    <span className={styles[state]} role="img" aria-label={label} title={label}>
      <Icon size={15} strokeWidth={2.4} aria-hidden />
    </span>
  );
}
