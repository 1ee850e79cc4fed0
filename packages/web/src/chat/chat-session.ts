import type { Chat, CloseOptions } from '@hvideo/client';
import { QueryObserver } from '@tanstack/react-query';
import { queryClient } from '../app/query.ts';
import { viewerQuery } from '../app/session.ts';
import { forgetDrafts, openDrafts } from './drafts.ts';
import { openChat } from './open-chat.ts';
import { unreadChatsQuery } from './unread.ts';

interface Session {
  readonly chat: Chat;
  end(options?: CloseOptions): Promise<void>;
}

let session: Session | undefined;

/** The chat of who is signed in: opened when it is first needed, and open until they leave or the page ends. */
export function chatOf(accountId: string): Chat {
  if (session?.chat.accountId === accountId) return session.chat;
  void session?.end();
  session = begin(accountId);
  return session.chat;
}

/** Ends the chat of who leaves this device, and removes what it holds of them, unsent messages included. */
export async function forgetChat(accountId: string): Promise<void> {
  chatOf(accountId);
  await session?.end({ erase: true });
  forgetDrafts(accountId);
}

function begin(accountId: string): Session {
  const chat = openChat(accountId);
  openDrafts(accountId);
  const stopCounting = tellUnread(chat);
  const begun: Session = {
    chat,
    end: (options) => {
      stopCounting();
      stopWatching();
      if (session === begun) session = undefined;
      return chat.close(options);
    },
  };
  const stopWatching = new QueryObserver(queryClient, viewerQuery).subscribe(({ data }) => {
    if (data !== undefined && data?.id !== accountId) void begun.end();
  });
  return begun;
}

/** Tells the badge what the chat knows, while it knows it: sooner than the next poll. */
function tellUnread({ conversations, status }: Chat): () => void {
  const tell = () => {
    const { isLoaded, unreadConversations } = conversations.snapshot();
    const { phase } = status.snapshot();
    if (!isLoaded || (phase !== 'online' && phase !== 'polling')) return;
    queryClient.setQueryData(unreadChatsQuery.queryKey, { conversations: unreadConversations });
  };
  const stops = [conversations.subscribe(tell), status.subscribe(tell)];
  return () => {
    for (const stop of stops) stop();
  };
}
