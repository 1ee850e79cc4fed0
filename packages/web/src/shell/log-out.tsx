import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { errorText } from '../app/errors.ts';
import { signOut } from '../app/session.ts';
import { forgetChatOf, unsentOf } from '../chat/forget.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { ConfirmDialog } from '../ui/dialog.tsx';
import { toast } from '../ui/toast.tsx';

/** Logs out; when messages would be lost by it, it asks first. The question is to be rendered where it stays. */
export function useLogOut(accountId: string): { begin(): void; question: ReactNode } {
  const { t } = useTexts();
  const [unsent, setUnsent] = useState(0);
  const [isAsking, setAsking] = useState(false);
  const leave = useMutation({
    mutationFn: () => signOut(() => forgetChatOf(accountId)),
    onSuccess: () => toast(t('status.loggedOut')),
    onError: (error) => toast(errorText(error), 'error'),
    onSettled: () => setAsking(false),
  });
  const look = useMutation({
    mutationFn: () => unsentOf(accountId),
    onSuccess: (count) => {
      setUnsent(count);
      if (count > 0) setAsking(true);
      else leave.mutate();
    },
    // Whoever wants to leave must be able to, also when nobody knows what is lost by it.
    onError: () => leave.mutate(),
  });
  const question = (
    <ConfirmDialog
      open={isAsking}
      onOpenChange={setAsking}
      title={t('leaving.title')}
      description={t('leaving.text', { count: unsent })}
      confirmLabel={t('leaving.confirm')}
      onConfirm={leave.mutate}
      busy={leave.isPending}
      danger
    />
  );
  return { begin: look.mutate, question };
}
