import { api, type FeedPosition } from '@hvideo/protocol';
import { useEffect, useState } from 'react';
import { client } from '../../app/client.ts';
import { Reading } from './reading.ts';

/** Less than this is scrolling past. */
const lookMs = 1_000;
const everyMs = 20_000;

/** Small, and the next one tells more: better none than many tries. */
const limits = { maxAttempts: 2, attemptMs: 8_000, deadlineMs: 15_000 };

/** Keeps where one is in the following feed for one's other devices. */
export function useReading(entryId: string | undefined, known: FeedPosition | null | undefined): void {
  const [reading] = useState(
    () =>
      new Reading((at) =>
        client.call(api.feed.readPosition, { body: { entryId: at } }, { keepalive: true, limits }),
      ),
  );
  const knownId = known?.entryId;
  useEffect(() => {
    if (knownId !== undefined) reading.knows(knownId);
  }, [reading, knownId]);

  useEffect(() => {
    if (entryId === undefined) return;
    const timer = setTimeout(() => {
      if (!document.hidden) reading.at(entryId);
    }, lookMs);
    return () => clearTimeout(timer);
  }, [reading, entryId]);

  useEffect(() => {
    const flush = () => void reading.flush();
    const onVisibility = () => {
      if (document.hidden) flush();
    };
    const timer = setInterval(flush, everyMs);
    document.addEventListener('visibilitychange', onVisibility);
    addEventListener('pagehide', flush);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', onVisibility);
      removeEventListener('pagehide', flush);
      flush();
    };
  }, [reading]);
}
