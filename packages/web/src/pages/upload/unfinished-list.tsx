import { useMutation, useQuery } from '@tanstack/react-query';
import { History } from 'lucide-react';
import { codeText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatBytes } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { Button } from '../../ui/button.tsx';
import { Card, formStyles } from '../../ui/form.tsx';
import { toast } from '../../ui/toast.tsx';
import { findUnfinished, forgetUpload, type Unfinished } from './unfinished.ts';
import { discardUpload, problemCode } from './upload-task.ts';

interface UnfinishedListProps {
  accountId: string;
  chosen: readonly File[];
}

export const unfinishedKey = ['unfinished-uploads'];

/** What was begun before the page was closed: a browser gives the file back only by its owner's hand. */
export function UnfinishedList({ accountId, chosen }: UnfinishedListProps) {
  const { t } = useTexts();
  const { data } = useQuery({
    queryKey: [...unfinishedKey, accountId],
    queryFn: () => findUnfinished(accountId),
    staleTime: 0,
  });
  const open = (data ?? []).filter(
    (entry) => !chosen.some((file) => file.name === entry.name && file.size === entry.size),
  );
  if (open.length === 0) return null;
  return (
    <Card title={t('upload:unfinishedTitle')}>
      <p className={formStyles['muted']}>{t('upload:unfinishedText')}</p>
      <ul className={formStyles['entries']}>
        {open.map((entry) => (
          <Entry key={entry.url} entry={entry} />
        ))}
      </ul>
    </Card>
  );
}

function Entry({ entry }: { entry: Unfinished }) {
  const { t } = useTexts();
  const language = useLanguage();
  const discard = useMutation({
    mutationFn: async () => {
      await discardUpload(entry.url);
      await forgetUpload(entry.url);
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: unfinishedKey }),
    onError: (error) => toast(codeText(problemCode(error)), 'error'),
  });
  return (
    <li className={formStyles['entry']}>
      <span className={formStyles['badge']}>
        <History size={20} aria-hidden />
      </span>
      <div className={formStyles['grow']}>
        <b>{entry.name}</b>
        {entry.size !== null && <p className={formStyles['muted']}>{formatBytes(entry.size, language)}</p>}
      </div>
      <Button
        size="sm"
        busy={discard.isPending}
        aria-label={t('upload:discardName', { name: entry.name })}
        onClick={() => discard.mutate()}
      >
        {t('upload:discard')}
      </Button>
    </li>
  );
}
