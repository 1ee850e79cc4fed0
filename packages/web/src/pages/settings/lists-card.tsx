import type { ListSettings } from '@hvideo/protocol';
import { useMutation, useQuery } from '@tanstack/react-query';
import { errorText } from '../../app/errors.ts';
import { HistorySwitch } from '../../history/history-switch.tsx';
import { useTexts } from '../../i18n/use-texts.ts';
import { Card, formStyles } from '../../ui/form.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Switch } from '../../ui/switch.tsx';
import { toast } from '../../ui/toast.tsx';
import { changeListSettings, listSettingsQuery } from '../profile/list-queries.ts';

const lists = ['likes', 'favorites', 'history'] as const;

/** Which of one's lists others may see, and whether there is a history at all. */
export function ListsCard() {
  const { t } = useTexts();
  const query = useQuery(listSettingsQuery);
  const change = useMutation({
    mutationFn: (next: Partial<ListSettings>) => changeListSettings(next),
    onError: (error) => toast(errorText(error), 'error'),
  });
  const settings = query.data && { ...query.data, ...(change.isPending && change.variables) };
  return (
    <Card title={t('lists:privacy.title')}>
      <p className={formStyles['muted']}>{t('lists:privacy.text')}</p>
      {settings ? (
        <div className={formStyles['entries']}>
          {lists.map((list) => (
            <Switch
              key={list}
              label={t(`lists:privacy.${list}`)}
              hint={list === 'favorites' ? t('lists:privacy.favoritesText') : undefined}
              checked={settings[list]}
              onChange={(isShown) => change.mutate({ [list]: isShown })}
            />
          ))}
        </div>
      ) : query.isError ? (
        <ErrorNotice compact error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton height="9rem" />
      )}
      <HistorySwitch />
    </Card>
  );
}
