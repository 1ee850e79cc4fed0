import type { ConversationSnapshot } from '@hvideo/client';
import type { Account } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, Info } from 'lucide-react';
import { useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { useLanguage } from '../lib/use-language.ts';
import { IconButton } from '../ui/button.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { ConversationAvatar } from './conversation-avatar.tsx';
import styles from './conversation-pane.module.css';
import { GroupDialog } from './group-dialog.tsx';
import { nameOf } from './names.ts';
import { useChat, useObservable } from './use-chat.ts';

interface ConversationHeaderProps {
  snapshot: ConversationSnapshot;
  viewer: Account;
  isMissing: boolean;
}

export function ConversationHeader({
  snapshot: { conversation },
  viewer,
  isMissing,
}: ConversationHeaderProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const [isGroupOpen, setGroupOpen] = useState(false);
  const name = conversation && nameOf(conversation, language);
  const other = conversation?.type === 'direct' ? conversation.others[0] : undefined;
  return (
    <header className={styles['header']}>
      <Link to="/messages" className={styles['back']} aria-label={t('chat:back')}>
        <ArrowLeft size={22} aria-hidden />
      </Link>
      {conversation === null ? (
        !isMissing && (
          <span className={styles['who']} aria-hidden>
            <Skeleton width="2.5rem" height="2.5rem" round />
            <Skeleton width="8rem" />
          </span>
        )
      ) : other ? (
        <Link to="/$handle" params={{ handle: `@${other.username}` }} className={styles['who']}>
          <ConversationAvatar conversation={conversation} size={40} />
          <span className={styles['names']}>
            <h2 dir="auto">{name}</h2>
            <Subtitle text={`@${other.username}`} />
          </span>
        </Link>
      ) : (
        <>
          <button type="button" className={styles['who']} onClick={() => setGroupOpen(true)}>
            <ConversationAvatar conversation={conversation} size={40} />
            <span className={styles['names']}>
              <h2 dir="auto">{name}</h2>
              {conversation.type === 'group' && (
                <Subtitle text={t('chat:members', { count: conversation.memberCount })} />
              )}
            </span>
          </button>
          <IconButton label={t('chat:group.open')} onClick={() => setGroupOpen(true)}>
            <Info size={21} aria-hidden />
          </IconButton>
          <GroupDialog
            open={isGroupOpen}
            onOpenChange={setGroupOpen}
            conversation={conversation}
            viewerId={viewer.id}
          />
        </>
      )}
    </header>
  );
}

/** While there is no connection yet, that stands here: quietly, for it is over soon. */
function Subtitle({ text }: { text: string }) {
  const { t } = useTexts();
  const { phase } = useObservable(useChat().status);
  return <small>{phase === 'connecting' ? t('chat:connection.connecting') : text}</small>;
}
