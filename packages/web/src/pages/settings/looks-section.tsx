import { errorText } from '../../app/errors.ts';
import { chooseLanguage } from '../../app/language.ts';
import { setTheme, type Theme, theme } from '../../app/theme.ts';
import type { Language } from '../../i18n/index.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useStore } from '../../lib/use-store.ts';
import { Card, formStyles } from '../../ui/form.tsx';
import { Segments } from '../../ui/segments.tsx';
import { toast } from '../../ui/toast.tsx';

export function LooksSection() {
  const { t } = useTexts();
  const chosenTheme = useStore(theme);
  const language = useLanguage();
  return (
    <Card>
      <div className={formStyles['line']}>
        <b>{t('theme.label')}</b>
        <Segments<Theme>
          label={t('theme.label')}
          value={chosenTheme}
          onChange={setTheme}
          options={[
            { value: 'system', label: t('theme.system') },
            { value: 'light', label: t('theme.light') },
            { value: 'dark', label: t('theme.dark') },
          ]}
        />
      </div>
      <div className={formStyles['line']}>
        <b>{t('language.label')}</b>
        <Segments<Language>
          label={t('language.label')}
          value={language}
          onChange={(next) => {
            chooseLanguage(next).catch((error: unknown) => toast(errorText(error), 'error'));
          }}
          options={[
            { value: 'zh', label: t('language.zh') },
            { value: 'en', label: t('language.en') },
          ]}
        />
      </div>
    </Card>
  );
}
