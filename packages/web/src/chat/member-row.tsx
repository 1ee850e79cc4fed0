import type { Member } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { UserRoundMinus } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import { Avatar } from '../ui/avatar.tsx';
import { IconButton } from '../ui/button.tsx';
import { PersonNames } from '../ui/person-names.tsx';
import styles from './group-dialog.module.css';

interface MemberRowProps {
  member: Member;
  isViewer: boolean;
  /** Undefined: the viewer may not. */
  onRemove: (() => void) | undefined;
}

export function MemberRow({ member: { user, role }, isViewer, onRemove }: MemberRowProps) {
  const { t } = useTexts();
  return (
    <li className={styles['member']}>
      <Link to="/$handle" params={{ handle: `@${user.username}` }}>
        <Avatar user={user} size={42} />
        <PersonNames name={user.displayName} note={isViewer ? t('chat:you') : `@${user.username}`} />
      </Link>
      {role === 'owner' && <span className={styles['owner']}>{t('chat:group.owner')}</span>}
      {onRemove && (
        <IconButton
          label={t('chat:group.removeName', { name: user.displayName })}
          size="sm"
          onClick={onRemove}
        >
          <UserRoundMinus size={18} aria-hidden />
        </IconButton>
      )}
    </li>
  );
}
