import type { ConversationSnapshot, ConversationSummary } from '@hvideo/client';
import { useCallback, useEffect, useRef, useState } from 'react';

/**
 * The line above what is new. It stands where reading began, and stays while one reads on; what comes while nobody looks
 * and everything was read is new again.
 */
export function useNewLine(snapshot: ConversationSnapshot, summary: ConversationSummary, isAtEnd: boolean) {
  const [newAfter, setNewAfter] = useState(() => (summary.unread > 0 ? snapshot.readSeq : undefined));
  const { readSeq, messages } = snapshot;
  const hadUnread = useRef(summary.unread > 0);
  useEffect(() => {
    const hasUnread = messages.some(({ seq, isOwn }) => seq !== null && seq > readSeq && !isOwn);
    const isLooking = isAtEnd && document.visibilityState === 'visible';
    if (hasUnread && !hadUnread.current && !isLooking) setNewAfter(readSeq);
    hadUnread.current = hasUnread;
  }, [messages, readSeq, isAtEnd]);
  const clear = useCallback(() => setNewAfter(undefined), []);
  return { newAfter, clear };
}
