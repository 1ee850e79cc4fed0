import type { Language } from '../i18n/index.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { useLanguage } from '../lib/use-language.ts';
import { useStore } from '../lib/use-store.ts';
import { toast } from '../ui/toast.tsx';
import { errorText } from './errors.ts';
import { chooseLanguage } from './language.ts';
import { setTheme, type Theme, theme } from './theme.ts';

interface Choice<Value> {
  readonly label: string;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly options: readonly { readonly value: Value; readonly label: string }[];
}

/** Light or dark, as a menu and the settings offer it. */
export function useThemeChoice(): Choice<Theme> {
  const { t } = useTexts();
  return {
    label: t('theme.label'),
    value: useStore(theme),
    onChange: setTheme,
    options: [
      { value: 'system', label: t('theme.system') },
      { value: 'light', label: t('theme.light') },
      { value: 'dark', label: t('theme.dark') },
    ],
  };
}

export function useLanguageChoice(): Choice<Language> {
  const { t } = useTexts();
  return {
    label: t('language.label'),
    value: useLanguage(),
    onChange: (next) => {
      chooseLanguage(next).catch((error: unknown) => toast(errorText(error), 'error'));
    },
    options: [
      { value: 'zh', label: t('language.zh') },
      { value: 'en', label: t('language.en') },
    ],
  };
}
