import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { Skeleton } from '../ui/skeleton.tsx';
import styles from './conversation-pane.module.css';

const shapes = [
  { width: '46%', height: '2.5rem', isOwn: false },
  { width: '62%', height: '3.75rem', isOwn: false },
  { width: '38%', height: '2.5rem', isOwn: true },
  { width: '54%', height: '2.5rem', isOwn: false },
  { width: '58%', height: '5rem', isOwn: true },
  { width: '28%', height: '2.5rem', isOwn: true },
  { width: '44%', height: '2.5rem', isOwn: false },
];

export function TimelineLoading() {
  const { t } = useTexts();
  return (
    <div role="status" className={styles['loading']}>
      <span className="visually-hidden">{t('status.loading')}</span>
      {shapes.map(({ width, height, isOwn }) => (
        <span key={width} className={classes(isOwn && styles['own'])}>
          <Skeleton width={width} height={height} className={styles['bone']} />
        </span>
      ))}
    </div>
  );
}
