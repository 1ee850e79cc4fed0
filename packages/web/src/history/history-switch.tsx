import { api } from '@hvideo/protocol';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { Switch } from '../ui/switch.tsx';
import { toast } from '../ui/toast.tsx';
import { historySettingsQuery } from './queries.ts';

/** Whether what one watches is kept. */
export function HistorySwitch() {
  const { t } = useTexts();
  const queries = useQueryClient();
  const { data } = useQuery(historySettingsQuery);
  const change = useMutation({
    mutationFn: (paused: boolean) => client.call(api.history.changeSettings, { body: { paused } }),
    onSuccess: (settings) => queries.setQueryData(historySettingsQuery.queryKey, settings),
    onError: (error) => toast(errorText(error), 'error'),
  });
  const isPaused = change.isPending ? change.variables : (data?.paused ?? false);
  return (
    <Switch
      label={t('lists:history.record')}
      hint={t('lists:history.recordText')}
      checked={!isPaused}
      disabled={data === undefined}
      onChange={(isOn) => change.mutate(!isOn)}
    />
  );
}
