import type { User } from '@hvideo/protocol';
import { useNavigate } from '@tanstack/react-router';
import { Check, Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useViewer } from '../app/session.ts';
import { Button, type ButtonSize } from '../ui/button.tsx';
import { changeRelation } from './relation.ts';

interface FollowButtonProps {
  user: Pick<User, 'id' | 'displayName'>;
  following: boolean;
  followedBy?: boolean;
  size?: ButtonSize;
  over?: boolean;
}

export function FollowButton({
  user,
  following,
  followedBy = false,
  size = 'sm',
  over = false,
}: FollowButtonProps) {
  const { t } = useTranslation('watch');
  const viewer = useViewer();
  const navigate = useNavigate();
  if (viewer?.id === user.id) return null;
  const text = following
    ? followedBy
      ? t('relation.friends')
      : t('relation.following')
    : followedBy
      ? t('relation.followBack')
      : t('relation.follow');
  const onClick = () => {
    if (viewer) void changeRelation(user.id, following ? 'unfollow' : 'follow');
    else void navigate({ to: '/login', search: { next: location.pathname } });
  };
  const Icon = following ? Check : Plus;
  return (
    <Button
      size={size}
      tone={following ? (over ? 'over' : 'soft') : 'accent'}
      aria-pressed={following}
      aria-label={`${text}: ${user.displayName}`}
      icon={<Icon size={16} strokeWidth={2.8} aria-hidden />}
      onClick={onClick}
    >
      {text}
    </Button>
  );
}
