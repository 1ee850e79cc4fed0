import { UNREAD_MAX } from '@hvideo/protocol';
import { useQuery } from '@tanstack/react-query';
import { Bell as BellIcon } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import { CountSign } from '../ui/count-sign.tsx';
import { unreadQuery } from './queries.ts';

/** With the number of those that have not been read; for people who are signed in. */
export function Bell() {
  const { t } = useTexts();
  const count = useQuery(unreadQuery).data?.count ?? 0;
  const most = UNREAD_MAX - 1;
  const label =
    count > most ? t('notifications:unreadMany', { count: most }) : t('notifications:unread', { count });
  return <CountSign icon={<BellIcon aria-hidden />} count={count} most={most} label={label} />;
}
