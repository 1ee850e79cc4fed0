import type { User } from '@hvideo/protocol';
import { useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { avatarHue, initials } from '../lib/initials.ts';
import styles from './avatar.module.css';

interface AvatarProps {
  user: Pick<User, 'id' | 'displayName' | 'avatarUrl'>;
  /** Pixels. */
  size?: number;
  /** Where the name stands right beside it, the picture says nothing more. */
  decorative?: boolean;
}

export function Avatar({ user, size = 40, decorative = true }: AvatarProps) {
  const { t } = useTexts();
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  const label = decorative ? '' : t('avatarOf', { name: user.displayName });
  const style = { '--size': `${size}px`, '--hue': avatarHue(user.id) } as React.CSSProperties;
  if (user.avatarUrl !== null && user.avatarUrl !== brokenUrl) {
    return (
      <img
        className={styles['avatar']}
        style={style}
        src={user.avatarUrl}
        alt={label}
        width={size}
        height={size}
        loading="lazy"
        decoding="async"
        draggable={false}
        onError={() => setBrokenUrl(user.avatarUrl)}
      />
    );
  }
  return decorative ? (
    <span className={styles['avatar']} style={style} aria-hidden>
      {initials(user.displayName)}
    </span>
  ) : (
    <span className={styles['avatar']} style={style} role="img" aria-label={label}>
      {initials(user.displayName)}
    </span>
  );
}
