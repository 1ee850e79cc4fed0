import type { Relation, User } from '@hvideo/protocol';
import { Ban, Ellipsis, Volume2, VolumeX } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../ui/button.tsx';
import { ConfirmDialog } from '../ui/dialog.tsx';
import { Menu, MenuItem } from '../ui/menu.tsx';
import { toast } from '../ui/toast.tsx';
import type { RelationAction } from './patch-person.ts';
import { changeRelation } from './relation.ts';

export function RelationMenu({ user, relation }: { user: User; relation: Relation }) {
  const { t } = useTranslation('watch');
  const [isAsking, setAsking] = useState(false);
  const name = user.displayName;
  const act = async (action: RelationAction, done: string) => {
    if (await changeRelation(user.id, action)) toast(done);
  };
  return (
    <>
      <Menu
        trigger={
          <IconButton label={t('relation.menu', { name })} tone="soft">
            <Ellipsis size={20} aria-hidden />
          </IconButton>
        }
      >
        {relation.muted ? (
          <MenuItem
            icon={<Volume2 size={18} aria-hidden />}
            onSelect={() => void act('unmute', t('relation.unmuted', { name }))}
          >
            {t('relation.unmute')}
          </MenuItem>
        ) : (
          <MenuItem
            icon={<VolumeX size={18} aria-hidden />}
            onSelect={() => void act('mute', t('relation.muted', { name }))}
          >
            {t('relation.mute')}
          </MenuItem>
        )}
        {relation.blocked ? (
          <MenuItem
            icon={<Ban size={18} aria-hidden />}
            onSelect={() => void act('unblock', t('relation.unblocked', { name }))}
          >
            {t('relation.unblock')}
          </MenuItem>
        ) : (
          <MenuItem danger icon={<Ban size={18} aria-hidden />} onSelect={() => setAsking(true)}>
            {t('relation.block')}
          </MenuItem>
        )}
      </Menu>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={t('relation.blockTitle', { name })}
        description={t('relation.blockText')}
        confirmLabel={t('relation.block')}
        danger
        onConfirm={() => {
          setAsking(false);
          void act('block', t('relation.blocked', { name }));
        }}
      />
    </>
  );
}
