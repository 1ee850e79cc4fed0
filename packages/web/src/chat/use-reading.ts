import type { ChatConversation, ConversationSnapshot, ConversationSummary } from '@hvideo/client';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { errorText } from '../app/errors.ts';
import { toast } from '../ui/toast.tsx';
import { SteadyScroll } from './steady-scroll.ts';
import { useNewLine } from './use-new-line.ts';

/** So near to an end more is fetched. */
const aheadPx = 900;
const quoteFromTop = 0.3;
const newFromTopPx = 72;
const flashMs = 1600;

/** Where somebody reads in a conversation: what stays in view, what is fetched, what counts as read. */
export function useReading(
  conversation: ChatConversation,
  snapshot: ConversationSnapshot,
  summary: ConversationSummary,
) {
  const scroller = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const steady = useRef<SteadyScroll>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const [isPositioned, setPositioned] = useState(false);
  const [isWaiting, setWaiting] = useState(false);
  const [openedAtMs] = useState(() => Date.now());
  const target = useRef<number>(undefined);
  const start = useRef(firstUnread(snapshot, summary));
  const newLine = useNewLine(snapshot, summary, isAtEnd);
  const latest = useRef({ snapshot, isPositioned });
  latest.current = { snapshot, isPositioned };

  const load = useCallback((work: Promise<void>) => {
    // What failed is said where it would stand.
    work.catch((error: unknown) => error);
  }, []);

  const look = useCallback(() => {
    const box = scroller.current;
    const hold = steady.current;
    const { snapshot: now, isPositioned: isReady } = latest.current;
    if (!box || !hold || !isReady) return;
    const endPx = box.scrollHeight - box.scrollTop - box.clientHeight;
    if (box.scrollTop < aheadPx && now.hasOlder && !now.isLoadingOlder && !now.failure) {
      load(conversation.loadOlder());
    }
    if (endPx < aheadPx && now.hasNewer && !now.isLoadingNewer && !now.failure)
      load(conversation.loadNewer());
    setAtEnd(hold.isAtEnd && !now.hasNewer);
    const seen = hold.lastSeen();
    if (document.visibilityState === 'visible' && seen !== undefined && seen > now.readSeq) {
      conversation.markRead(seen);
    }
  }, [conversation, load]);

  useLayoutEffect(() => {
    const box = scroller.current;
    const inner = content.current;
    if (!box || !inner) return;
    const hold = new SteadyScroll(box, inner);
    steady.current = hold;
    const onScroll = () => {
      hold.remember(!latest.current.snapshot.hasNewer);
      look();
    };
    const onEnd = () => {
      hold.settle();
      onScroll();
    };
    const onTaken = () => hold.settle();
    const sizes = new ResizeObserver(() => hold.restore());
    sizes.observe(box);
    sizes.observe(inner);
    box.addEventListener('scroll', onScroll, { passive: true });
    box.addEventListener('scrollend', onEnd, { passive: true });
    box.addEventListener('wheel', onTaken, { passive: true });
    box.addEventListener('touchstart', onTaken, { passive: true });
    document.addEventListener('visibilitychange', look);
    return () => {
      hold.settle();
      sizes.disconnect();
      box.removeEventListener('scroll', onScroll);
      box.removeEventListener('scrollend', onEnd);
      box.removeEventListener('wheel', onTaken);
      box.removeEventListener('touchstart', onTaken);
      document.removeEventListener('visibilitychange', look);
    };
  }, [look]);

  // After each change, before it is painted.
  useLayoutEffect(() => {
    const hold = steady.current;
    if (!hold) return;
    const { messages } = snapshot;
    if (start.current !== undefined) {
      const seq = start.current;
      start.current = undefined;
      setWaiting(true);
      // Without it one begins at the end.
      conversation.jumpTo(seq).then(
        () => setWaiting(false),
        () => setWaiting(false),
      );
      return;
    }
    const wanted = messages.find(({ seq }) => seq !== null && seq === target.current);
    const row = wanted && hold.row(wanted.key);
    if (row) {
      target.current = undefined;
      show(row, hold, false);
    } else if (!isPositioned) {
      if (isWaiting) return;
      position(hold, content.current);
      setPositioned(true);
    } else hold.restore();
  }, [conversation, snapshot, isPositioned, isWaiting]);
  useEffect(() => {
    if (isPositioned && snapshot) look();
  }, [look, snapshot, isPositioned]);

  const toEnd = useCallback(() => {
    newLine.clear();
    steady.current?.toEnd(false);
  }, [newLine.clear]);
  const toNewest = useCallback(async () => {
    if (latest.current.snapshot.hasNewer) await conversation.jumpToNewest();
    steady.current?.toEnd(!isMotionReduced());
  }, [conversation]);
  const jump = useCallback(
    (seq: number) => {
      const hold = steady.current;
      const here = latest.current.snapshot.messages.find((message) => message.seq === seq);
      const row = here && hold?.row(here.key);
      if (hold && row) {
        show(row, hold, !isMotionReduced());
        return;
      }
      target.current = seq;
      conversation.jumpTo(seq).catch((error: unknown) => {
        target.current = undefined;
        toast(errorText(error), 'error');
      });
    },
    [conversation],
  );
  return {
    scroller,
    content,
    isAtEnd,
    isPositioned,
    openedAtMs,
    newAfter: newLine.newAfter,
    toEnd,
    toNewest: () => load(toNewest()),
    jump,
    loadOlder: () => load(conversation.loadOlder()),
  };
}

/** What was not read begins before the newest page: reading begins there. */
function firstUnread({ messages, hasOlder, readSeq }: ConversationSnapshot, { unread }: ConversationSummary) {
  const first = messages[0]?.seq ?? 0;
  return unread > 0 && hasOlder && first > readSeq + 1 ? readSeq + 1 : undefined;
}

const isMotionReduced = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** At first: at the end, or where what is new begins, if that is more than fits. */
function position(hold: SteadyScroll, content: HTMLElement | null): void {
  hold.toEnd(false);
  const line = content?.querySelector<HTMLElement>('[data-new]');
  const box = content?.parentElement;
  if (line && box && line.getBoundingClientRect().top < box.getBoundingClientRect().top + newFromTopPx) {
    hold.toRow(line, newFromTopPx, false);
  }
}

/** Leads the eye to a message. */
function show(row: HTMLElement, hold: SteadyScroll, isSmooth: boolean): void {
  hold.toRow(row, innerHeight * quoteFromTop, isSmooth);
  row.dataset['shown'] = '';
  setTimeout(() => delete row.dataset['shown'], flashMs);
}
