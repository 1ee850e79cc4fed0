import { useQuery } from '@tanstack/react-query';
import { MessageCircle } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import { CountSign } from '../ui/count-sign.tsx';
import { unreadChatsQuery } from './unread.ts';

/** With the number of conversations that hold something unread; for people who are signed in. */
export function ChatSign() {
  const { t } = useTexts();
  const count = useQuery(unreadChatsQuery).data?.conversations ?? 0;
  return (
    <CountSign
      icon={<MessageCircle aria-hidden />}
      count={count}
      most={99}
      label={t('chats.unread', { count })}
    />
  );
}
