import type { HistoryPlace, VideoCard } from '@hvideo/protocol';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useViewer } from '../app/session.ts';
import type { Player } from '../player/player.ts';
import { placeQuery } from './queries.ts';
import { resumeAt } from './viewing.ts';

/** An answer that comes later than this into the clip would be a jump, not a beginning. */
const latestSeconds = 2.5;

/** Where one was in the video; undefined while that is not known. Never a reason to wait. */
export function usePlace(id: string): HistoryPlace | undefined {
  const viewer = useViewer();
  return useQuery({ ...placeQuery(id), enabled: viewer != null }).data;
}

export interface Resumed {
  readonly atMs: number;
  startOver(): void;
  dismiss(): void;
}

/** Moves the player to where one was, once, before anything much has been seen. */
export function useResume(
  card: VideoCard,
  player: Player | undefined,
  place: HistoryPlace | undefined,
): Resumed | undefined {
  const [resumed, setResumed] = useState<{ atMs: number } | undefined>(undefined);
  const isDecided = useRef(false);
  const atMs = place && card.durationMs !== null ? resumeAt(place, card.durationMs) : undefined;
  useEffect(() => {
    if (player === undefined || atMs === undefined || isDecided.current) return;
    const { video } = player;
    const go = () => {
      // What is remembered while it plays comes back here, and is no place to go to.
      isDecided.current = true;
      if (video.currentTime > latestSeconds) return;
      player.seek(atMs / 1000);
      setResumed({ atMs });
    };
    if (video.readyState >= HTMLMediaElement.HAVE_METADATA) {
      go();
      return;
    }
    video.addEventListener('loadedmetadata', go, { once: true });
    return () => video.removeEventListener('loadedmetadata', go);
  }, [player, atMs]);
  if (resumed === undefined || player === undefined) return undefined;
  return {
    atMs: resumed.atMs,
    startOver: () => {
      player.seek(0);
      setResumed(undefined);
    },
    dismiss: () => setResumed(undefined),
  };
}
