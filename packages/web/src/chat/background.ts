import { useEffect } from 'react';
import { savesData } from '../lib/connection.ts';

/** The first page has been drawn and its pictures are on their way by then. */
const afterMs = 4_000;

/** Opens the chat once the app has settled: messages arrive, and those that wait are sent, on whatever page one is. */
export function useBackgroundChat(viewerId: string | undefined): void {
  useEffect(() => {
    if (viewerId === undefined || savesData()) return;
    const timer = setTimeout(() => {
      import('./chat-session.ts').then(
        ({ chatOf }) => chatOf(viewerId),
        // Its code was out of reach: the page of the chat says so, when it is opened.
        (error: unknown) => error,
      );
    }, afterMs);
    return () => clearTimeout(timer);
  }, [viewerId]);
}
