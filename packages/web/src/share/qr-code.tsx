import { useMemo } from 'react';
import { encode } from 'uqr';
import { Mark } from '../ui/logo.tsx';
import styles from './qr-code.module.css';
import { qrPath } from './qr-path.ts';

/** Dark on light in both themes: many cameras do not read the reverse. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    // A quarter of it may be missing: the mark in the middle covers far less.
    const { data, size } = encode(text, { ecc: 'Q', border: 0 });
    return { size, path: qrPath(data) };
  }, [text]);
  return (
    <div className={styles['card']}>
      <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="geometricPrecision">
        <path d={path} fill="currentColor" fillRule="evenodd" />
      </svg>
      <span className={styles['mark']}>
        <Mark size={22} />
      </span>
    </div>
  );
}
