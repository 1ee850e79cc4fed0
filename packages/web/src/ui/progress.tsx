import { classes } from '../lib/classes.ts';
import styles from './progress.module.css';

interface ProgressProps {
  label: string;
  /** 0 to 1. */
  share: number;
  /** It rests: paused, waiting or failed. */
  quiet?: boolean;
}

export function Progress({ label, share, quiet = false }: ProgressProps) {
  return (
    <progress
      className={classes(styles['progress'], quiet && styles['quiet'])}
      value={share}
      max={1}
      aria-label={label}
    />
  );
}
