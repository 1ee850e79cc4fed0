import { useTranslation } from 'react-i18next';

/** All texts: `t('nav.home')` from `common`, others with their namespace, `t('watch:feed.home')`. */
export const useTexts = () =>
  useTranslation([
    'common',
    'watch',
    'feed',
    'account',
    'upload',
    'errors',
    'lists',
    'share',
    'operations',
    'engagement',
    'notifications',
    'chat',
  ]);
