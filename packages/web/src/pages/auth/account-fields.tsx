import { PASSWORD_MIN } from '@hvideo/protocol';
import { useTexts } from '../../i18n/use-texts.ts';
import { TextField } from '../../ui/field.tsx';
import { PasswordField } from '../../ui/password-field.tsx';

/** The name of an account that is to be made. */
export function UsernameField({ error }: { error: string | undefined }) {
  const { t } = useTexts();
  return (
    <TextField
      label={t('account:username')}
      hint={t('account:usernameHint')}
      error={error}
      name="username"
      autoComplete="username"
      autoCapitalize="none"
      spellCheck={false}
      minLength={3}
      maxLength={30}
      required
    />
  );
}

export function NewPasswordField({ error }: { error: string | undefined }) {
  const { t } = useTexts();
  return (
    <PasswordField
      label={t('account:password')}
      hint={t('account:passwordHint', { min: PASSWORD_MIN })}
      error={error}
      name="password"
      autoComplete="new-password"
      minLength={PASSWORD_MIN}
      required
    />
  );
}
