import { api } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck } from 'lucide-react';
import { client } from '../../app/client.ts';
import { errorFields } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { instanceQuery, useInstance } from '../../app/session.ts';
import { useEnter } from '../../app/use-enter.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Form, textOf } from '../../ui/form.tsx';
import { Notice } from '../../ui/notice.tsx';
import { NewPasswordField, UsernameField } from '../auth/account-fields.tsx';
import { AuthLayout } from '../auth/auth-layout.tsx';

export function SetupPage() {
  const { t } = useTexts();
  const instance = useInstance();
  const language = useLanguage();
  const enter = useEnter();
  useTitle(t('account:setupTitle'));
  const setup = useMutation({
    mutationFn: (values: FormData) => {
      const code = textOf(values, 'code').trim();
      const instanceName = textOf(values, 'instanceName').trim();
      return client.call(api.instance.setup, {
        body: {
          username: textOf(values, 'username'),
          password: textOf(values, 'password'),
          locale: language,
          ...(code && { code }),
          ...(instanceName && { instanceName }),
        },
      });
    },
    onSuccess: (session) => {
      void queryClient.invalidateQueries({ queryKey: instanceQuery.queryKey });
      enter(session);
    },
  });
  const fields = errorFields(setup.error);
  if (instance && !instance.setupRequired && !setup.isSuccess) return <Done />;
  return (
    <AuthLayout title={t('account:setupTitle')} text={t('account:setupText')}>
      <Form onSubmit={setup.mutate} error={setup.error}>
        {instance?.setupCodeRequired && (
          <TextField
            label={t('account:setupCode')}
            hint={t('account:setupCodeHint')}
            error={fields['code']}
            name="code"
            required
          />
        )}
        <TextField label={t('account:instanceName')} name="instanceName" maxLength={60} />
        <UsernameField error={fields['username']} />
        <NewPasswordField error={fields['password']} />
        <Button type="submit" tone="accent" size="lg" block busy={setup.isPending}>
          {t('account:submitSetup')}
        </Button>
      </Form>
    </AuthLayout>
  );
}

function Done() {
  const { t } = useTexts();
  return (
    <Notice
      heading="h1"
      icon={<CircleCheck size={32} aria-hidden />}
      title={t('account:setupDone')}
      text={t('account:setupDoneText')}
      actions={
        <Link to="/" className={buttonClass({ tone: 'accent' })}>
          {t('error.goHome')}
        </Link>
      }
    />
  );
}
