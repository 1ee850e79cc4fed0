import type { ChatConversation, ViewMessage } from '@hvideo/client';
import { useCallback, useEffect, useState } from 'react';
import { drafts, saveDraft } from './drafts.ts';

export interface Reply {
  readonly message: ViewMessage | undefined;
  /** Undefined: it is no answer any more. */
  set(message: ViewMessage | undefined): void;
}

/** The message that is being answered; it belongs to the draft and comes back with it. */
export function useReply(conversation: ChatConversation, id: string): Reply {
  const [message, setMessage] = useState<ViewMessage>();
  useEffect(() => {
    const kept = drafts.get().get(id)?.quoteSeq;
    if (kept === undefined) return;
    const abort = new AbortController();
    conversation.find(kept, { signal: abort.signal }).then(
      (found) => found && setMessage((chosen) => chosen ?? found),
      // Without it the draft is a message that answers nothing.
      (error: unknown) => error,
    );
    return () => abort.abort();
  }, [conversation, id]);
  const set = useCallback(
    (next: ViewMessage | undefined) => {
      setMessage(next);
      const text = drafts.get().get(id)?.text ?? '';
      saveDraft(id, { text, ...(next?.seq && { quoteSeq: next.seq }) });
    },
    [id],
  );
  return { message, set };
}
