import type { VideoCard } from '@hvideo/protocol';
import { useEffect, useState } from 'react';
import { clipsAhead } from '../lib/connection.ts';
import type { Player } from './player.ts';
import { fetchQuietly, Preloader } from './preload.ts';

/** Whoever scrolls fast passes by: nothing is loaded for them. */
const settledMs = 600;

/** While a clip plays without waiting, the beginnings of those after the next one are loaded; the next has a player. */
export function usePreload(cards: readonly VideoCard[], active: number, player: Player | undefined): void {
  const [loader] = useState(() => new Preloader(fetchQuietly));
  useEffect(() => {
    if (!player) return;
    const urls = cards
      .slice(active + 2, active + 2 + clipsAhead())
      .flatMap(({ playlistUrl }) => (playlistUrl ? [new URL(playlistUrl, location.href).href] : []));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const follow = () => {
      clearTimeout(timer);
      const { phase, isBuffering } = player.state.get();
      if (phase === 'playing' && !isBuffering) timer = setTimeout(() => loader.want(urls), settledMs);
      // The clip that is watched needs the network more.
      else if (isBuffering || phase === 'loading') loader.want([]);
    };
    follow();
    const stop = player.state.subscribe(follow);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [loader, cards, active, player]);
  useEffect(() => () => loader.want([]), [loader]);
}
