import { Heart } from 'lucide-react';
import { useEffect } from 'react';
import styles from './heart-burst.module.css';

const shownMs = 900;

export interface Burst {
  readonly id: number;
  /** Where it was tapped, in the picture. */
  readonly x: number;
  readonly y: number;
}

/** A heart where the picture was tapped twice. */
export function HeartBurst({ burst, onDone }: { burst: Burst; onDone(): void }) {
  useEffect(() => {
    const timer = setTimeout(onDone, shownMs);
    return () => clearTimeout(timer);
  }, [onDone]);
  const tilt = ((burst.id * 37) % 41) - 20;
  return (
    <span
      className={styles['burst']}
      style={{ left: burst.x, top: burst.y, '--tilt': `${tilt}deg` } as React.CSSProperties}
      aria-hidden
    >
      <Heart size={96} fill="currentColor" strokeWidth={0} />
    </span>
  );
}
