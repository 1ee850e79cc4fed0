import { ChatError, type ConversationSummary } from '@hvideo/client';
import type { Account, VideoCard } from '@hvideo/protocol';
import { Check, MessageCircleHeart, SendHorizontal } from 'lucide-react';
import { useMemo, useState } from 'react';
import { chatOf } from '../chat/chat-session.ts';
import { ConversationAvatar } from '../chat/conversation-avatar.tsx';
import { failureText } from '../chat/failure.ts';
import { nameOf } from '../chat/names.ts';
import { useObservable } from '../chat/use-chat.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { useLanguage } from '../lib/use-language.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { SearchField } from '../ui/search-field.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { toast } from '../ui/toast.tsx';
import styles from './share-to-chat.module.css';

interface ShareToChatProps {
  card: VideoCard;
  viewer: Account;
  onShared(): void;
}

/** The viewer's conversations, each with a button that sends the video there. */
export function ShareToChat({ card, viewer, onShared }: ShareToChatProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const chat = useMemo(() => chatOf(viewer.id), [viewer.id]);
  const { items, isLoaded, isLoading, hasMore, failure } = useObservable(chat.conversations);
  const [wanted, setWanted] = useState('');
  const [sentTo, setSentTo] = useState<ReadonlySet<string>>(new Set());
  const send = (conversation: ConversationSummary) => {
    try {
      chat.conversation(conversation.id).send({ type: 'video', videoId: card.id });
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      toast(failureText({ code: error.code, detail: null }), 'error');
      return;
    }
    setSentTo((before) => new Set([...before, conversation.id]));
    toast(t('chat:share.sent', { name: nameOf(conversation, language) }));
    onShared();
  };
  if (items.length === 0) {
    if (failure) return <Notice compact title={t('error.title')} text={failureText(failure)} />;
    if (!isLoaded) return <Skeleton height="3.5rem" />;
    return (
      <Notice
        compact
        icon={<MessageCircleHeart size={24} aria-hidden />}
        title={t('chat:share.empty')}
        text={t('chat:share.emptyText')}
        heading="h3"
      />
    );
  }
  const text = wanted.trim().toLocaleLowerCase();
  const found = items.filter((item) => nameOf(item, language).toLocaleLowerCase().includes(text));
  return (
    <div className={styles['share']}>
      <SearchField value={wanted} label={t('chat:share.search')} onChange={setWanted} />
      <p className={styles['none']} role="status">
        {found.length === 0 && t('chat:share.none')}
      </p>
      <ul className={styles['list']}>
        {found.map((item) => (
          <Target key={item.id} conversation={item} isSent={sentTo.has(item.id)} onSend={() => send(item)} />
        ))}
      </ul>
      {hasMore && (
        <Button block size="sm" busy={isLoading} onClick={() => void chat.conversations.loadMore()}>
          {t('actions.loadMore')}
        </Button>
      )}
    </div>
  );
}

interface TargetProps {
  conversation: ConversationSummary;
  isSent: boolean;
  onSend(): void;
}

function Target({ conversation, isSent, onSend }: TargetProps) {
  const { t } = useTexts();
  const name = nameOf(conversation, useLanguage());
  return (
    <li className={styles['target']}>
      <ConversationAvatar conversation={conversation} size={42} />
      <strong dir="auto">{name}</strong>
      <Button
        size="sm"
        tone={isSent ? 'plain' : 'accent'}
        icon={isSent ? <Check size={16} aria-hidden /> : <SendHorizontal size={16} aria-hidden />}
        aria-label={t('chat:share.send', { name })}
        disabled={isSent}
        onClick={onSend}
      >
        {t(isSent ? 'chat:share.done' : 'chat:send')}
      </Button>
    </li>
  );
}
