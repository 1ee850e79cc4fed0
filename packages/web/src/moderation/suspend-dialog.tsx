import { api, type User } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { client } from '../app/client.ts';
import { queryClient } from '../app/query.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { SelectField, TextArea } from '../ui/field.tsx';
import { Form, formStyles, textOf } from '../ui/form.tsx';
import { toast } from '../ui/toast.tsx';

const REASON_MAX = 500;
const dayMs = 86_400_000;
const spans = ['1', '7', '30', 'forever'] as const;

const isProfileOf = (data: unknown, id: string): data is object =>
  typeof data === 'object' && data !== null && 'id' in data && data.id === id;

interface SuspendDialogProps {
  user: Pick<User, 'id' | 'displayName'>;
  isOpen: boolean;
  onClose(): void;
}

/** For moderators: nobody is suspended without a reason. */
export function SuspendDialog({ user, isOpen, onClose }: SuspendDialogProps) {
  const { t } = useTexts();
  const name = user.displayName;
  const suspend = useMutation({
    mutationFn: (values: FormData) => {
      const days = Number(textOf(values, 'span'));
      const until = Number.isFinite(days) ? new Date(Date.now() + days * dayMs).toISOString() : null;
      return client.call(api.instance.suspend, {
        params: { id: user.id },
        body: { reason: textOf(values, 'reason'), until },
      });
    },
    onSuccess: () => {
      toast(t('account:moderation.suspended', { name }));
      // From now on the profile is not found by anybody; shown once more, so that a mistake can be taken back.
      queryClient.setQueriesData<unknown>({ queryKey: ['user'] }, (data: unknown) =>
        isProfileOf(data, user.id) ? { ...data, suspended: true } : data,
      );
      for (const key of ['videos', 'feed', 'people']) {
        void queryClient.invalidateQueries({ queryKey: [key] });
      }
      onClose();
    },
  });
  return (
    <Dialog
      open={isOpen}
      onOpenChange={(open) => !open && onClose()}
      title={t('account:moderation.suspendTitle', { name })}
      description={t('account:moderation.suspendText')}
    >
      <Form onSubmit={suspend.mutate} error={suspend.error}>
        <TextArea label={t('account:moderation.reason')} name="reason" maxLength={REASON_MAX} required />
        <SelectField label={t('account:moderation.howLong')} name="span" defaultValue="7">
          {spans.map((span) => (
            <option key={span} value={span}>
              {span === 'forever'
                ? t('account:moderation.forever')
                : t('account:moderation.days', { count: Number(span) })}
            </option>
          ))}
        </SelectField>
        <div className={formStyles['end']}>
          <Button onClick={onClose}>{t('actions.cancel')}</Button>
          <Button type="submit" tone="danger" busy={suspend.isPending}>
            {t('account:moderation.suspend')}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
