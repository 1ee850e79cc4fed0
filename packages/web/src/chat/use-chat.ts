import type { Chat, Observable } from '@hvideo/client';
import { createContext, useContext, useSyncExternalStore } from 'react';

export function useObservable<Snapshot>(source: Observable<Snapshot>): Snapshot {
  return useSyncExternalStore(source.subscribe, source.snapshot);
}

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (chat === null) throw new TypeError('There is no chat around this component');
  return chat;
}

/** Whether messages go out at the moment. */
export function useIsConnected(): boolean {
  const { phase } = useObservable(useChat().status);
  return phase === 'online' || phase === 'polling';
}
