import { api } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { client } from '../../app/client.ts';
import { useEnter } from '../../app/use-enter.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Form, formStyles, textOf } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';

export function LoginPage() {
  const { t } = useTexts();
  const { next } = useSearch({ from: '/login' });
  const enter = useEnter();
  useTitle(t('nav.login'));
  const login = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.auth.login, {
        body: { login: textOf(values, 'login').trim(), password: textOf(values, 'password') },
      }),
    onSuccess: (session) => enter(session, next),
  });
  return (
    <Page width="narrow" title={t('account:loginTitle')} text={t('account:loginText')}>
      <Form onSubmit={login.mutate} error={login.error}>
        <TextField
          label={t('account:login')}
          name="login"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        <TextField
          label={t('account:password')}
          name="password"
          type="password"
          autoComplete="current-password"
          required
        />
        <Button type="submit" tone="accent" size="lg" block busy={login.isPending}>
          {t('account:submitLogin')}
        </Button>
        <p className={formStyles['aside']}>
          {t('account:noAccount')}{' '}
          <Link to="/register" search={next ? { next } : {}}>
            {t('nav.register')}
          </Link>
        </p>
      </Form>
    </Page>
  );
}
