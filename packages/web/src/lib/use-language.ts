import { useTranslation } from 'react-i18next';
import { currentLanguage, type Language } from '../i18n/index.ts';

/** The language in use; the component follows a change of it. */
export function useLanguage(): Language {
  useTranslation();
  return currentLanguage();
}
