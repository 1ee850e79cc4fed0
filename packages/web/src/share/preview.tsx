import type { VideoCard } from '@hvideo/protocol';
import { Film } from 'lucide-react';
import { CoverImage } from '../ui/cover-image.tsx';
import styles from './share-sheet.module.css';

/** Which video a sheet is about. */
export function Preview({ card }: { card: VideoCard }) {
  return (
    <div className={styles['preview']}>
      <span className={styles['cover']}>
        <CoverImage url={card.coverUrl} fallback={<Film size={22} aria-hidden />} />
      </span>
      <p>
        <strong>{card.title}</strong>
        <small>@{card.author.username}</small>
      </p>
    </div>
  );
}
