import { type Account, api, PASSWORD_MIN } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { client } from '../../app/client.ts';
import { errorFields } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { Button } from '../../ui/button.tsx';
import { Card, Form, formStyles, textOf } from '../../ui/form.tsx';
import { PasswordField } from '../../ui/password-field.tsx';
import { toast } from '../../ui/toast.tsx';

export function PasswordSection({ viewer }: { viewer: Account }) {
  const { t } = useTexts();
  const change = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.auth.changePassword, {
        body: {
          currentPassword: textOf(values, 'currentPassword'),
          newPassword: textOf(values, 'newPassword'),
        },
      }),
    onSuccess: () => {
      toast(t('account:passwordChanged'));
      void queryClient.invalidateQueries({ queryKey: ['sessions'] });
    },
  });
  return (
    <>
      {viewer.phone !== null && (
        <Card>
          <div className={formStyles['line']}>
            <b>{t('account:phone')}</b>
            <span>{viewer.phone}</span>
          </div>
        </Card>
      )}
      <Card title={t('account:changePassword')}>
        <p className={formStyles['muted']}>{t('account:changePasswordText')}</p>
        {/* What was typed is forgotten once it has been accepted. */}
        <Form key={change.isSuccess ? change.submittedAt : 0} onSubmit={change.mutate} error={change.error}>
          {/* For password managers, which save the two together. */}
          <input name="username" autoComplete="username" defaultValue={viewer.username} hidden readOnly />
          <PasswordField
            label={t('account:currentPassword')}
            name="currentPassword"
            autoComplete="current-password"
            required
          />
          <PasswordField
            label={t('account:newPassword')}
            hint={t('account:passwordHint', { min: PASSWORD_MIN })}
            error={errorFields(change.error)['newPassword']}
            name="newPassword"
            autoComplete="new-password"
            minLength={PASSWORD_MIN}
            required
          />
          <div className={formStyles['end']}>
            <Button type="submit" tone="accent" busy={change.isPending}>
              {t('account:changePassword')}
            </Button>
          </div>
        </Form>
      </Card>
    </>
  );
}
