import { ApiError } from '@hvideo/client';
import { api } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { useInstance } from '../../app/session.ts';
import { useEnter } from '../../app/use-enter.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { toE164 } from '../../lib/phone.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Form, formStyles, textOf } from '../../ui/form.tsx';
import { PasswordField } from '../../ui/password-field.tsx';
import { Segments } from '../../ui/segments.tsx';
import { AuthLayout } from './auth-layout.tsx';
import { PhoneFields } from './phone-fields.tsx';

type Way = 'password' | 'phone';

export function LoginPage() {
  const { t } = useTexts();
  const { next } = useSearch({ from: '/login' });
  const instance = useInstance();
  const [way, setWay] = useState<Way>('password');
  useTitle(t('nav.login'));
  return (
    <AuthLayout title={t('account:loginTitle')} text={t('account:loginText')}>
      <div className={formStyles['stack']}>
        <Segments<Way>
          block
          label={t('account:way')}
          value={way}
          onChange={setWay}
          options={[
            { value: 'password', label: t('account:wayPassword') },
            { value: 'phone', label: t('account:wayPhone') },
          ]}
        />
        {way === 'password' ? <PasswordForm next={next} /> : <PhoneForm next={next} />}
        {instance?.registration !== 'closed' && (
          <p className={formStyles['aside']}>
            {t('account:noAccount')}{' '}
            <Link to="/register" search={next ? { next } : {}}>
              {t('nav.register')}
            </Link>
          </p>
        )}
      </div>
    </AuthLayout>
  );
}

function PasswordForm({ next }: { next: string | undefined }) {
  const { t } = useTexts();
  const enter = useEnter();
  const login = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.auth.login, {
        body: { login: textOf(values, 'login').trim(), password: textOf(values, 'password') },
      }),
    onSuccess: (session) => enter(session, next),
  });
  return (
    <Form onSubmit={login.mutate} error={login.error}>
      <TextField
        label={t('account:login')}
        name="login"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <PasswordField label={t('account:password')} name="password" autoComplete="current-password" required />
      <Button type="submit" tone="accent" size="lg" block busy={login.isPending}>
        {t('account:submitLogin')}
      </Button>
    </Form>
  );
}

function PhoneForm({ next }: { next: string | undefined }) {
  const { t } = useTexts();
  const language = useLanguage();
  const enter = useEnter();
  const login = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.auth.login, {
        body: {
          phone: toE164(textOf(values, 'phone'), language) ?? '',
          code: textOf(values, 'code'),
        },
      }),
    onSuccess: (session) => enter(session, next),
  });
  // The code was right then: it is the number that nobody here has.
  const isUnknown = login.error instanceof ApiError && login.error.code === 'bad-credentials';
  return (
    <Form onSubmit={login.mutate} error={isUnknown ? null : login.error}>
      <PhoneFields errors={isUnknown ? { phone: t('account:phoneUnknown') } : {}} />
      <Button type="submit" tone="accent" size="lg" block busy={login.isPending}>
        {t('account:submitLogin')}
      </Button>
    </Form>
  );
}
