import { classes } from '../lib/classes.ts';
import styles from './skeleton.module.css';

interface SkeletonProps {
  width?: string;
  height?: string;
  round?: boolean;
  className?: string | undefined;
}

/** A shape where something will be. Hidden from screen readers: say that it loads once, beside it. */
export function Skeleton({ width = '100%', height = '1em', round = false, className }: SkeletonProps) {
  return (
    <span
      aria-hidden
      className={classes(styles['skeleton'], round && styles['round'], className)}
      style={{ width, height }}
    />
  );
}
