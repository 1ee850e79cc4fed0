import { api } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { DoorClosed, Smartphone } from 'lucide-react';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { errorFields } from '../../app/errors.ts';
import { useInstance } from '../../app/session.ts';
import { useEnter } from '../../app/use-enter.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { toE164 } from '../../lib/phone.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Form, formStyles, textOf } from '../../ui/form.tsx';
import { Notice } from '../../ui/notice.tsx';
import { NewPasswordField, UsernameField } from './account-fields.tsx';
import { AuthLayout } from './auth-layout.tsx';
import { PhoneFields } from './phone-fields.tsx';

export function RegisterPage() {
  const { t } = useTexts();
  const { next, invitation } = useSearch({ from: '/register' });
  const instance = useInstance();
  useTitle(t('nav.register'));
  if (instance?.registration === 'closed') return <Closed />;
  const needsInvitation = instance?.registration === 'invitation' || invitation !== undefined;
  return (
    <AuthLayout
      title={t('account:registerTitle')}
      text={t(needsInvitation ? 'account:registerInvitedText' : 'account:registerText')}
    >
      <RegisterForm next={next} invitation={invitation} needsInvitation={needsInvitation} />
    </AuthLayout>
  );
}

function Closed() {
  const { t } = useTexts();
  return (
    <Notice
      heading="h1"
      icon={<DoorClosed size={32} aria-hidden />}
      title={t('account:closed')}
      text={t('account:closedText')}
      actions={
        <>
          <Link to="/" className={buttonClass({ tone: 'accent' })}>
            {t('error.goHome')}
          </Link>
          <Link to="/login" className={buttonClass()}>
            {t('nav.login')}
          </Link>
        </>
      }
    />
  );
}

interface RegisterFormProps {
  next: string | undefined;
  invitation: string | undefined;
  needsInvitation: boolean;
}

function useRegister(next: string | undefined) {
  const language = useLanguage();
  const enter = useEnter();
  return useMutation({
    mutationFn: (values: FormData) => {
      const displayName = textOf(values, 'displayName').trim();
      const invitation = textOf(values, 'invitation').trim();
      const phone = toE164(textOf(values, 'phone'), language);
      return client.call(api.auth.register, {
        body: {
          username: textOf(values, 'username'),
          password: textOf(values, 'password'),
          locale: language,
          ...(displayName && { displayName }),
          ...(invitation && { invitation }),
          ...(phone && { phone, phoneCode: textOf(values, 'code') }),
        },
      });
    },
    onSuccess: (session) => enter(session, next),
  });
}

function RegisterForm({ next, invitation, needsInvitation }: RegisterFormProps) {
  const { t } = useTexts();
  const [hasPhone, setHasPhone] = useState(false);
  const register = useRegister(next);
  const fields = errorFields(register.error);
  return (
    <Form onSubmit={register.mutate} error={register.error}>
      {needsInvitation && (
        <TextField
          label={t('account:invitation')}
          hint={invitation === undefined ? t('account:invitationHint') : undefined}
          error={fields['invitation']}
          name="invitation"
          defaultValue={invitation}
          autoCapitalize="none"
          spellCheck={false}
          required
        />
      )}
      <UsernameField error={fields['username']} />
      <TextField
        label={t('account:displayName')}
        hint={t('account:displayNameHint')}
        error={fields['displayName']}
        name="displayName"
        autoComplete="nickname"
        maxLength={40}
      />
      <NewPasswordField error={fields['password']} />
      {hasPhone ? (
        <PhoneFields errors={fields} />
      ) : (
        <Button tone="plain" icon={<Smartphone size={18} aria-hidden />} onClick={() => setHasPhone(true)}>
          {t('account:addPhone')}
        </Button>
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
  );
}
