import { currentLanguage, type Language } from '../i18n/index.ts';
import { useTexts } from '../i18n/use-texts.ts';

/** The language in use; the component follows a change of it. */
export function useLanguage(): Language {
  useTexts();
  return currentLanguage();
}
