import { Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { IconButton } from './button.tsx';
import { TextField } from './field.tsx';

/** A password, which can be looked at while it is typed. */
export function PasswordField(props: Omit<ComponentProps<typeof TextField>, 'type' | 'after'>) {
  const { t } = useTexts();
  const [isShown, setShown] = useState(false);
  return (
    <TextField
      {...props}
      type={isShown ? 'text' : 'password'}
      autoCapitalize="none"
      spellCheck={false}
      after={
        <IconButton
          label={isShown ? t('actions.hideText') : t('actions.showText')}
          size="sm"
          aria-pressed={isShown}
          onClick={() => setShown(!isShown)}
        >
          {isShown ? <EyeOff size={19} aria-hidden /> : <Eye size={19} aria-hidden />}
        </IconButton>
      }
    />
  );
}
