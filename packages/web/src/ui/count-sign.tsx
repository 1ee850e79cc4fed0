import type { ReactNode } from 'react';
import styles from './count-sign.module.css';

interface CountSignProps {
  icon: ReactNode;
  count: number;
  /** More than that is shown as "99+". */
  most: number;
  /** Says the number in words. */
  label: string;
}

/** An icon with the number of what waits behind it. */
export function CountSign({ icon, count, most, label }: CountSignProps) {
  return (
    <span className={styles['sign']}>
      {icon}
      {count > 0 && (
        <>
          <span key={count} className={styles['badge']} aria-hidden>
            {count > most ? `${most}+` : count}
          </span>
          <span className="visually-hidden">{label}</span>
        </>
      )}
    </span>
  );
}
