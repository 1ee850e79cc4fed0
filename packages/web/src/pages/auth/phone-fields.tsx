import { api } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { toE164 } from '../../lib/phone.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';

const waitSeconds = 60;

interface PhoneFieldsProps {
  errors?: Readonly<Record<string, string>>;
  /** Codes in the form are the fields `phone` and `code`. */
  codeError?: string | undefined;
}

/** A phone number and the code that proves it. */
export function PhoneFields({ errors = {}, codeError }: PhoneFieldsProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const field = useRef<HTMLInputElement>(null);
  const [waitLeft, startWait] = useCountdown();
  const send = useMutation({
    mutationFn: (phone: string) => client.call(api.auth.sendCode, { body: { phone, locale: language } }),
    onSuccess: () => startWait(waitSeconds),
  });
  const check = (input: HTMLInputElement) =>
    input.setCustomValidity(
      input.value === '' || toE164(input.value, language) !== undefined ? '' : t('account:phoneInvalid'),
    );
  const onSend = () => {
    const input = field.current;
    if (!input) return;
    check(input);
    const phone = toE164(input.value, language);
    if (phone === undefined) input.reportValidity();
    else send.mutate(phone);
  };
  return (
    <>
      <TextField
        ref={field}
        label={t('account:phone')}
        hint={t('account:phoneHint')}
        error={errors['phone'] ?? (send.error ? errorText(send.error) : undefined)}
        name="phone"
        type="tel"
        inputMode="tel"
        autoComplete="tel"
        onChange={(event) => check(event.currentTarget)}
        required
      />
      <TextField
        label={t('account:code')}
        hint={send.isSuccess ? <span role="status">{t('account:codeSent')}</span> : undefined}
        error={errors['phoneCode'] ?? codeError}
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        pattern="\d{6}"
        maxLength={6}
        required
        after={
          <Button size="sm" busy={send.isPending} disabled={waitLeft > 0} onClick={onSend}>
            {waitLeft > 0 ? t('account:sendAgain', { seconds: waitLeft }) : t('account:sendCode')}
          </Button>
        }
      />
    </>
  );
}

/** Whole seconds that are left, and a way to begin. */
function useCountdown(): [number, (seconds: number) => void] {
  const [endsAtMs, setEndsAtMs] = useState(0);
  const [nowMs, setNowMs] = useState(() => Date.now());
  const left = Math.max(0, Math.ceil((endsAtMs - nowMs) / 1000));
  useEffect(() => {
    if (endsAtMs <= Date.now()) return;
    const timer = setInterval(() => {
      setNowMs(Date.now());
      if (Date.now() >= endsAtMs) clearInterval(timer);
    }, 500);
    return () => clearInterval(timer);
  }, [endsAtMs]);
  const start = (seconds: number) => {
    setNowMs(Date.now());
    setEndsAtMs(Date.now() + seconds * 1000);
  };
  return [left, start];
}
