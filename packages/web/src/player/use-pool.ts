import type { VideoCard } from '@hvideo/protocol';
import { useEffect, useState } from 'react';
import { soundOn } from '../app/sound.ts';
import { useStore } from '../lib/use-store.ts';
import { Player } from './player.ts';
import { assignPool, POOL_SIZE, slotOf } from './pool.ts';
import { renewLink } from './renew-link.ts';

/** The players of a list; answers which of them holds an entry. */
export function usePool(
  cards: readonly VideoCard[],
  active: number,
  origin = 0,
): (index: number) => Player | undefined {
  const [players] = useState(() =>
    Array.from({ length: POOL_SIZE }, () => new Player(document.createElement('video'), renewLink)),
  );
  const slots = assignPool(active, cards.length, origin);
  const hasSound = useStore(soundOn);

  useEffect(() => {
    for (const player of players) player.setSound(hasSound);
  }, [players, hasSound]);

  useEffect(() => {
    const used = new Map(assignPool(active, cards.length, origin).map((entry) => [entry.slot, entry]));
    players.forEach((player, slot) => {
      const entry = used.get(slot);
      const card = entry === undefined ? undefined : cards[entry.index];
      player.load(card?.playlistUrl ? { id: card.id, url: card.playlistUrl } : undefined);
      player.setActive(entry?.role === 'current');
    });
  }, [players, cards, active, origin]);

  useEffect(
    () => () => {
      for (const player of players) {
        player.setActive(false);
        player.unload();
      }
    },
    [players],
  );

  usePauseWhileHidden(players[slotOf(active, origin)]);
  return (index) => {
    const entry = slots.find((slot) => slot.index === index);
    return entry && players[entry.slot];
  };
}

function usePauseWhileHidden(player: Player | undefined) {
  useEffect(() => {
    let wasPlaying = false;
    const onChange = () => {
      if (document.hidden) {
        wasPlaying = player !== undefined && !player.video.paused;
        player?.video.pause();
      } else if (wasPlaying) void player?.play();
    };
    document.addEventListener('visibilitychange', onChange);
    return () => document.removeEventListener('visibilitychange', onChange);
  }, [player]);
}
