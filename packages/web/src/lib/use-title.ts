import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

/** The document's title while the page shows; undefined while its name is not known yet. */
export function useTitle(page: string | undefined): void {
  const { t } = useTranslation();
  const title = page === undefined ? t('appName') : t('title', { page });
  useEffect(() => {
    document.title = title;
  }, [title]);
}
