import type { Chat, Observable } from '@hvideo/client';
import { createContext, useContext, useSyncExternalStore } from 'react';
import { useOnline } from '../lib/use-online.ts';

export function useObservable<Snapshot>(source: Observable<Snapshot>): Snapshot {
  return useSyncExternalStore(source.subscribe, source.snapshot);
}

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (chat === null) throw new TypeError('There is no chat around this component');
  return chat;
}

/** Whether messages go out at the moment: as far as the device itself knows, too. */
export function useIsConnected(): boolean {
  const { phase } = useObservable(useChat().status);
  const isOnline = useOnline();
  return isOnline && (phase === 'online' || phase === 'polling');
}
