import type { VideoCard } from '@hvideo/protocol';
import { Maximize, Minimize, Pause, Play, Volume2, VolumeX } from 'lucide-react';
import { useState } from 'react';
import { useTexts } from '../../i18n/use-texts.ts';
import { useStore } from '../../lib/use-store.ts';
import type { Player } from '../../player/player.ts';
import { SeekBar } from '../../player/seek-bar.tsx';
import { toggleFullscreen, useFullscreen } from '../../player/use-fullscreen.ts';
import { IconButton } from '../../ui/button.tsx';
import styles from './embed-page.module.css';

interface ControlsProps {
  card: VideoCard;
  player: Player;
  frame: { current: HTMLElement | null };
}

export function Controls({ card, player, frame }: ControlsProps) {
  const { t } = useTexts();
  const { phase, isSilenced } = useStore(player.state);
  const [hasSound, setSound] = useState(true);
  const isFullscreen = useFullscreen();
  const isPlaying = phase === 'playing' || phase === 'loading';
  const isOn = hasSound && !isSilenced;
  const onSound = () => {
    setSound(!isOn);
    player.setSound(!isOn);
  };
  return (
    <div className={styles['controls']}>
      <IconButton
        size="sm"
        tone="over"
        label={isPlaying ? t('watch:player.pause') : t('watch:player.play')}
        onClick={() => player.toggle()}
      >
        {isPlaying ? (
          <Pause size={17} fill="currentColor" aria-hidden />
        ) : (
          <Play size={17} fill="currentColor" aria-hidden />
        )}
      </IconButton>
      <div className={styles['seek']}>
        {card.durationMs !== null && (
          <SeekBar player={player} durationMs={card.durationMs} sprite={card.sprite} />
        )}
      </div>
      <IconButton
        size="sm"
        tone="over"
        label={isOn ? t('watch:player.mute') : t('watch:player.unmute')}
        onClick={onSound}
      >
        {isOn ? <Volume2 size={18} aria-hidden /> : <VolumeX size={18} aria-hidden />}
      </IconButton>
      {document.fullscreenEnabled && (
        <IconButton
          size="sm"
          tone="over"
          label={isFullscreen ? t('watch:player.exitFullscreen') : t('watch:player.fullscreen')}
          onClick={() => toggleFullscreen(frame.current)}
        >
          {isFullscreen ? <Minimize size={17} aria-hidden /> : <Maximize size={17} aria-hidden />}
        </IconButton>
      )}
    </div>
  );
}
