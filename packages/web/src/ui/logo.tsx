import styles from './logo.module.css';

/** The H whose crossbar is a play sign. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg className={styles['mark']} viewBox="0 0 40 40" width={size} height={size} aria-hidden>
      <rect x="5" y="4" width="7.5" height="32" rx="3.75" fill="currentColor" />
      <rect x="27.5" y="4" width="7.5" height="32" rx="3.75" fill="currentColor" />
      <path
        d="M15 13.6c0-1.9 2-3 3.600-2.100l10.600 6.700c1.400.9 1.400 2.900 0 3.800L18.600 28.600c-1.600 1-3.600-.2-3.600-2z"
        className={styles['play']}
      />
    </svg>
  );
}

/** The mark with the name in one drawn line. */
export function Wordmark() {
  return (
    <span className={styles['wordmark']}>
      <Mark size={32} />
      <svg viewBox="0 0 104 32" width="91" height="28" aria-hidden className={styles['name']}>
        <g fill="none" stroke="currentColor" strokeWidth="4.2" strokeLinecap="round" strokeLinejoin="round">
          <path d="M4 7.500 12.500 25.500 21 7.500" />
          <path d="M30.500 13v12.500" />
          <circle cx="46" cy="18.500" r="7" />
          <path d="M53 5v20.500" />
          <path d="M62.500 18.500h14.200a7.200 7.200 0 1 0-2.400 5.200" />
          <circle cx="92" cy="18.500" r="7" />
        </g>
        <circle cx="30.500" cy="6.300" r="2.700" className={styles['play']} />
      </svg>
    </span>
  );
}
