import type { Conversation } from '@hvideo/protocol';
import { UsersRound } from 'lucide-react';
import { Avatar } from '../ui/avatar.tsx';
import styles from './conversation-avatar.module.css';

interface ConversationAvatarProps {
  conversation: Pick<Conversation, 'type' | 'others'>;
  /** Pixels. */
  size: number;
}

/** The other one's picture, or two of a group; the name stands beside it. */
export function ConversationAvatar({ conversation: { type, others }, size }: ConversationAvatarProps) {
  const [first, second] = others;
  if (type === 'direct' && first) return <Avatar user={first} size={size} />;
  const style = { '--size': `${size}px` } as React.CSSProperties;
  if (first === undefined || second === undefined) {
    return (
      <span className={styles['group']} style={style} aria-hidden>
        {first ? <Avatar user={first} size={size} /> : <UsersRound size={size * 0.46} />}
      </span>
    );
  }
  const small = Math.round(size * 0.68);
  return (
    <span className={styles['pair']} style={style}>
      <Avatar user={second} size={small} />
      <Avatar user={first} size={small} />
    </span>
  );
}
