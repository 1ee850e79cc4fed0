import type { Client } from '@hvideo/client';
import { api, type VideoCard, type ViewReport } from '@hvideo/protocol';
import { useEffect } from 'react';
import { client } from '../app/client.ts';
import { queryClient } from '../app/query.ts';
import type { Player } from '../player/player.ts';
import { rememberPlace } from './queries.ts';
import { Viewing } from './viewing.ts';

/** A report is small and comes again: better none than many tries. */
const limits = { maxAttempts: 3, attemptMs: 8_000, deadlineMs: 15_000 };

/** Tells the server what is watched: while it plays, when it pauses, and when the slide or the page is left. */
export function useViewing(
  card: VideoCard | undefined,
  player: Player | undefined,
  sender: Pick<Client, 'call'> = client,
): void {
  const id = card?.id;
  const durationMs = card?.durationMs ?? 0;
  useEffect(() => {
    if (id === undefined || player === undefined || durationMs === 0) return;
    const { video } = player;
    const viewing = new Viewing(durationMs);
    let sending: AbortController | undefined;
    const tell = (report: ViewReport | undefined) => {
      if (!report) return;
      // The newer report holds all that the older one did.
      sending?.abort();
      sending = new AbortController();
      void send(sender, id, report, sending.signal);
    };
    const positionMs = () => video.currentTime * 1000;
    const onTime = () => {
      if (video.seeking || video.paused) return;
      viewing.playedTo(positionMs());
      tell(viewing.due());
    };
    const onSeeking = () => {
      // A loop is no decision of the viewer: the next position tells it apart.
      if (positionMs() > 0) viewing.wentTo(positionMs());
    };
    const onLeave = () => tell(viewing.last());
    const onVisibility = () => {
      if (document.hidden) onLeave();
    };
    video.addEventListener('timeupdate', onTime);
    video.addEventListener('seeking', onSeeking);
    video.addEventListener('pause', onLeave);
    document.addEventListener('visibilitychange', onVisibility);
    addEventListener('pagehide', onLeave);
    return () => {
      video.removeEventListener('timeupdate', onTime);
      video.removeEventListener('seeking', onSeeking);
      video.removeEventListener('pause', onLeave);
      document.removeEventListener('visibilitychange', onVisibility);
      removeEventListener('pagehide', onLeave);
      onLeave();
    };
  }, [id, durationMs, player, sender]);
}

async function send(
  sender: Pick<Client, 'call'>,
  id: string,
  report: ViewReport,
  signal: AbortSignal,
): Promise<void> {
  const { positionMs, completed } = report;
  if (positionMs !== undefined) rememberPlace(id, { positionMs, completed });
  try {
    await sender.call(
      api.history.view,
      { params: { id }, body: report },
      { keepalive: true, limits, signal },
    );
    void queryClient.invalidateQueries({ queryKey: ['history', 'list'], refetchType: 'none' });
  } catch {
    // Watching goes on whatever becomes of this report; the next one tells the same and more.
  }
}
