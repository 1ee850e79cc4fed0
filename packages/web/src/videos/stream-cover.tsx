import type { OwnVideo } from '@hvideo/protocol';
import { useEffect, useRef, useState } from 'react';
import { Player } from '../player/player.ts';
import { renewLink } from '../player/renew-link.ts';
import { CoverSlider } from './cover-slider.tsx';
import { CoverSuggestions } from './cover-suggestions.tsx';
import styles from './covers.module.css';

interface StreamCoverProps {
  video: Pick<OwnVideo, 'id' | 'playlistUrl' | 'coverUrl' | 'durationMs' | 'coverSuggestions'>;
  timeMs: number | undefined;
  onPick(timeMs: number): void;
}

/** The cover of a video that is on the server: a suggestion, or any moment of the stream. */
export function StreamCover({ video, timeMs, onPick }: StreamCoverProps) {
  const { id, playlistUrl, coverUrl, durationMs, coverSuggestions } = video;
  const host = useRef<HTMLDivElement>(null);
  const [player] = useState(() => new Player(document.createElement('video'), renewLink));
  const isLooking = timeMs !== undefined && playlistUrl !== null;
  useEffect(() => {
    if (isLooking) player.load({ id, url: playlistUrl });
    return () => player.unload();
  }, [player, id, playlistUrl, isLooking]);
  useEffect(() => {
    if (isLooking) host.current?.append(player.video);
    return () => player.video.remove();
  }, [player, isLooking]);
  useEffect(() => {
    if (timeMs !== undefined) player.video.currentTime = timeMs / 1000;
  }, [player, timeMs]);
  return (
    <div className={styles['stack']}>
      {(isLooking || coverUrl !== null) && (
        <div className={styles['frame']}>
          {coverUrl !== null && !isLooking && <img src={coverUrl} alt="" />}
          <div ref={host} />
        </div>
      )}
      {durationMs !== null && playlistUrl !== null && (
        <CoverSlider timeMs={timeMs ?? 0} durationMs={durationMs} onPick={onPick} />
      )}
      {coverSuggestions.length > 0 && (
        <CoverSuggestions suggestions={coverSuggestions} timeMs={timeMs} onPick={onPick} />
      )}
    </div>
  );
}
