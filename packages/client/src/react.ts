import { useSyncExternalStore } from 'react';
import type {
  Chat,
  ChatConversation,
  ChatStatus,
  ConversationSnapshot,
  ConversationsSnapshot,
  Observable,
} from './chat/types.ts';

function useObservable<Snapshot>(observable: Observable<Snapshot>): Snapshot {
  return useSyncExternalStore(observable.subscribe, observable.snapshot, observable.snapshot);
}

export function useChatStatus(chat: Chat): ChatStatus {
  return useObservable(chat.status);
}

export function useConversations(chat: Chat): ConversationsSnapshot {
  return useObservable(chat.conversations);
}

/** What is in a conversation, and the conversation to act upon. It is kept up to date while the component is there. */
export function useConversation(
  chat: Chat,
  id: string,
): { readonly snapshot: ConversationSnapshot; readonly conversation: ChatConversation } {
  const conversation = chat.conversation(id);
  return { snapshot: useObservable(conversation), conversation };
}
