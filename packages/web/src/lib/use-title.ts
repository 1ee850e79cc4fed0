import { useEffect } from 'react';
import { useTexts } from '../i18n/use-texts.ts';

/** The document's title while the page shows; undefined while its name is not known yet. */
export function useTitle(page: string | undefined): void {
  const { t } = useTexts();
  const title = page === undefined ? t('appName') : t('title', { page });
  useEffect(() => {
    document.title = title;
  }, [title]);
}
