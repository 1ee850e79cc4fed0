import { api } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { queryClient } from '../app/query.ts';
import { useViewer } from '../app/session.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from '../ui/button.tsx';
import { toast } from '../ui/toast.tsx';

/**
 * For moderators, where a profile is not found: to everybody a suspended account looks like none, so this is the way
 * back for it. Nothing for everybody else.
 */
export function UnsuspendButton({ handle }: { handle: string }) {
  const { t } = useTexts();
  const viewer = useViewer();
  const unsuspend = useMutation({
    mutationFn: () => client.call(api.instance.unsuspend, { params: { id: handle } }),
    onSuccess: () => {
      toast(t('account:moderation.unsuspended', { name: handle }));
      void queryClient.invalidateQueries({ queryKey: ['user'] });
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  if (!viewer || viewer.role === 'user') return null;
  return (
    <Button busy={unsuspend.isPending} onClick={() => unsuspend.mutate()}>
      {t('account:moderation.unsuspend')}
    </Button>
  );
}
