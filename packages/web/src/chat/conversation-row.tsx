import type { ConversationSummary, ViewMessage } from '@hvideo/client';
import { Link } from '@tanstack/react-router';
import { CircleAlert } from 'lucide-react';
import { memo } from 'react';
import { useViewer } from '../app/session.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { useLanguage } from '../lib/use-language.ts';
import { ConversationAvatar } from './conversation-avatar.tsx';
import styles from './conversation-list.module.css';
import { nameOf, previewOf, systemText } from './names.ts';
import { ProgressSign } from './progress-sign.tsx';
import { formatWhen } from './when.ts';

interface ConversationRowProps {
  conversation: ConversationSummary;
  draft: string | undefined;
  isOpen: boolean;
  nowMs: number;
}

const mostUnread = 99;

export const ConversationRow = memo(({ conversation, draft, isOpen, nowMs }: ConversationRowProps) => {
  const { t } = useTexts();
  const language = useLanguage();
  const { unread, failed, lastMessage } = conversation;
  const at = lastMessage?.timestamp ?? conversation.createdAt;
  return (
    <li>
      <Link
        to="/messages/$conversation"
        params={{ conversation: conversation.id }}
        className={classes(styles['row'], isOpen && styles['open'], unread > 0 && styles['unread'])}
        {...(isOpen && { 'aria-current': 'page' as const })}
      >
        <ConversationAvatar conversation={conversation} size={52} />
        <span className={styles['words']}>
          <span className={styles['top']}>
            <strong dir="auto">{nameOf(conversation, language)}</strong>
            <time dateTime={at}>{formatWhen(at, language, nowMs)}</time>
          </span>
          <span className={styles['bottom']}>
            <span className={styles['preview']} dir="auto">
              {draft ? (
                <>
                  <b className={styles['draft']}>{t('chat:draft')}</b> {draft}
                </>
              ) : (
                lastMessage && <Preview conversation={conversation} message={lastMessage} />
              )}
            </span>
            {failed > 0 ? (
              <CircleAlert
                className={styles['failed']}
                size={18}
                role="img"
                aria-label={t('chat:state.failed')}
              />
            ) : (
              unread > 0 && (
                <span className={styles['count']}>
                  <span aria-hidden>{unread > mostUnread ? `${mostUnread}+` : unread}</span>
                  <span className="visually-hidden">{t('chat:unreadMessages', { count: unread })}</span>
                </span>
              )
            )}
          </span>
        </span>
      </Link>
    </li>
  );
});

function Preview({ conversation, message }: { conversation: ConversationSummary; message: ViewMessage }) {
  const { t } = useTexts();
  const language = useLanguage();
  const viewerId = useViewer()?.id ?? '';
  const { content } = message;
  if (content.type === 'system') {
    const people = new Map(conversation.others.map((user) => [user.id, user]));
    return systemText(content, people, viewerId, language);
  }
  const text = previewOf(content);
  if (message.isOwn) {
    return (
      <>
        {message.state && message.state !== 'failed' && <ProgressSign state={message.state} />}
        {conversation.type === 'group' ? t('chat:youSaid', { text }) : text}
      </>
    );
  }
  if (conversation.type === 'direct') return text;
  const name = conversation.others.find(({ id }) => id === message.senderId)?.displayName;
  return name === undefined ? text : t('chat:said', { name, text });
}
