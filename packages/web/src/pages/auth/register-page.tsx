import { api, PASSWORD_MIN } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { client } from '../../app/client.ts';
import { errorFields } from '../../app/errors.ts';
import { useInstance } from '../../app/session.ts';
import { useEnter } from '../../app/use-enter.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Form, formStyles, textOf } from '../../ui/form.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';

export function RegisterPage() {
  const { t } = useTexts();
  const { next, invitation } = useSearch({ from: '/register' });
  const instance = useInstance();
  const language = useLanguage();
  const enter = useEnter();
  useTitle(t('nav.register'));
  const register = useMutation({
    mutationFn: (values: FormData) => {
      const displayName = textOf(values, 'displayName').trim();
      const code = textOf(values, 'invitation').trim();
      return client.call(api.auth.register, {
        body: {
          username: textOf(values, 'username'),
          password: textOf(values, 'password'),
          locale: language,
          ...(displayName && { displayName }),
          ...(code && { invitation: code }),
        },
      });
    },
    onSuccess: (session) => enter(session, next),
  });
  const fields = errorFields(register.error);
  if (instance?.registration === 'closed') return <Notice heading="h1" title={t('account:closed')} />;
  return (
    <Page width="narrow" title={t('account:registerTitle')} text={t('account:registerText')}>
      <Form onSubmit={register.mutate} error={register.error}>
        <TextField
          label={t('account:username')}
          hint={t('account:usernameHint')}
          error={fields['username']}
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          minLength={3}
          maxLength={30}
          required
        />
        <TextField
          label={t('account:displayName')}
          hint={t('account:displayNameHint')}
          error={fields['displayName']}
          name="displayName"
          autoComplete="nickname"
          maxLength={40}
        />
        <TextField
          label={t('account:password')}
          hint={t('account:passwordHint', { min: PASSWORD_MIN })}
          error={fields['password']}
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={PASSWORD_MIN}
          required
        />
        {(instance?.registration === 'invitation' || invitation) && (
          <TextField
            label={t('account:invitation')}
            error={fields['invitation']}
            name="invitation"
            defaultValue={invitation}
            required
          />
        )}
        <Button type="submit" tone="accent" size="lg" block busy={register.isPending}>
          {t('account:submitRegister')}
        </Button>
        <p className={formStyles['aside']}>
          {t('account:haveAccount')}{' '}
          <Link to="/login" search={next ? { next } : {}}>
            {t('nav.login')}
          </Link>
        </p>
      </Form>
    </Page>
  );
}
