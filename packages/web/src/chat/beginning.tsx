import type { ConversationSummary } from '@hvideo/client';
import { useTexts } from '../i18n/use-texts.ts';
import { useLanguage } from '../lib/use-language.ts';
import { ConversationAvatar } from './conversation-avatar.tsx';
import { nameOf } from './names.ts';
import styles from './timeline.module.css';

/** Stands above the very first message, and alone while nothing was said yet. */
export function Beginning({ summary }: { summary: ConversationSummary }) {
  const { t } = useTexts();
  const name = nameOf(summary, useLanguage());
  const isEmpty = summary.lastMessage === null;
  return (
    <div className={styles['beginning']}>
      <ConversationAvatar conversation={summary} size={72} />
      {isEmpty && <p className={styles['hello']}>{t('chat:nothing')}</p>}
      <p>{t(summary.type === 'group' ? 'chat:nothingGroup' : 'chat:nothingText', { name })}</p>
    </div>
  );
}
