import type { ChatConversation } from '@hvideo/client';
import { useEffect, useState } from 'react';
import { i18n } from '../i18n/index.ts';
import { type KnownPeople, previewOf } from './names.ts';
import { useChat } from './use-chat.ts';

const mostTold = 5;

interface AnnouncerProps {
  conversation: ChatConversation;
  people: KnownPeople;
  viewerId: string;
}

/** Says to screen readers what others write while the conversation is open. */
export function Announcer({ conversation, people, viewerId }: AnnouncerProps) {
  const chat = useChat();
  const [told, setTold] = useState<readonly { id: string; text: string }[]>([]);
  useEffect(
    () =>
      chat.on((event) => {
        if (event.type !== 'messages' || event.conversationId !== conversation.id) return;
        const fresh = event.messages.flatMap(({ id, senderId, content }) => {
          if (senderId === viewerId || content.type === 'system') return [];
          const name = people.get(senderId)?.displayName ?? i18n.t('chat:system.someone');
          return [{ id, text: i18n.t('chat:said', { name, text: previewOf(content) }) }];
        });
        if (fresh.length > 0) setTold((before) => [...before, ...fresh].slice(-mostTold));
      }),
    [chat, conversation.id, people, viewerId],
  );
  return (
    <div className="visually-hidden" role="log" aria-live="polite">
      {told.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
