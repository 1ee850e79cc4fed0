import { api, type Relation, type User } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { Ban, Ellipsis, ShieldCheck, ShieldX, Volume2, VolumeX } from 'lucide-react';
import { useState } from 'react';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { queryClient } from '../app/query.ts';
import { useViewer } from '../app/session.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { SuspendDialog } from '../moderation/suspend-dialog.tsx';
import { IconButton } from '../ui/button.tsx';
import { ConfirmDialog } from '../ui/dialog.tsx';
import { Menu, MenuItem, MenuSeparator } from '../ui/menu.tsx';
import { toast } from '../ui/toast.tsx';
import type { RelationAction } from './patch-person.ts';
import { changeRelation } from './relation.ts';

interface RelationMenuProps {
  user: User;
  relation: Relation;
  isSuspended: boolean;
}

export function RelationMenu({ user, relation, isSuspended }: RelationMenuProps) {
  const { t } = useTexts();
  const viewer = useViewer();
  const [isSuspending, setSuspending] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const name = user.displayName;
  const act = async (action: RelationAction, done: string) => {
    if (await changeRelation(user.id, action)) toast(done);
  };
  const unsuspend = useMutation({
    mutationFn: () => client.call(api.instance.unsuspend, { params: { id: user.id } }),
    onSuccess: () => {
      toast(t('account:moderation.unsuspended', { name }));
      void queryClient.invalidateQueries({ queryKey: ['user'] });
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  const isModerator = viewer != null && viewer.role !== 'user';
  return (
    <>
      <Menu
        trigger={
          <IconButton label={t('watch:relation.menu', { name })} tone="soft">
            <Ellipsis size={20} aria-hidden />
          </IconButton>
        }
      >
        {relation.muted ? (
          <MenuItem
            icon={<Volume2 size={18} aria-hidden />}
            onSelect={() => void act('unmute', t('watch:relation.unmuted', { name }))}
          >
            {t('watch:relation.unmute')}
          </MenuItem>
        ) : (
          <MenuItem
            icon={<VolumeX size={18} aria-hidden />}
            onSelect={() => void act('mute', t('watch:relation.muted', { name }))}
          >
            {t('watch:relation.mute')}
          </MenuItem>
        )}
        {relation.blocked ? (
          <MenuItem
            icon={<Ban size={18} aria-hidden />}
            onSelect={() => void act('unblock', t('watch:relation.unblocked', { name }))}
          >
            {t('watch:relation.unblock')}
          </MenuItem>
        ) : (
          <MenuItem danger icon={<Ban size={18} aria-hidden />} onSelect={() => setAsking(true)}>
            {t('watch:relation.block')}
          </MenuItem>
        )}
        {isModerator && <MenuSeparator />}
        {isModerator &&
          (isSuspended ? (
            <MenuItem icon={<ShieldCheck size={18} aria-hidden />} onSelect={() => unsuspend.mutate()}>
              {t('account:moderation.unsuspend')}
            </MenuItem>
          ) : (
            <MenuItem danger icon={<ShieldX size={18} aria-hidden />} onSelect={() => setSuspending(true)}>
              {t('account:moderation.suspend')}
            </MenuItem>
          ))}
      </Menu>
      <SuspendDialog user={user} isOpen={isSuspending} onClose={() => setSuspending(false)} />
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={t('watch:relation.blockTitle', { name })}
        description={t('watch:relation.blockText')}
        confirmLabel={t('watch:relation.block')}
        danger
        onConfirm={() => {
          setAsking(false);
          void act('block', t('watch:relation.blocked', { name }));
        }}
      />
    </>
  );
}
