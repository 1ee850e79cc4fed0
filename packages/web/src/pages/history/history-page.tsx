import { api, type HistoryEntry } from '@hvideo/protocol';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CirclePause, History, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { daysAgo, groupByDay } from '../../history/days.ts';
import { HistorySwitch } from '../../history/history-switch.tsx';
import { forgetPlaces, historyQuery, historySettingsQuery } from '../../history/queries.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatDay } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useNow } from '../../lib/use-now.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/dialog.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { PageSpinner } from '../../ui/spinner.tsx';
import { toast } from '../../ui/toast.tsx';
import styles from './history-page.module.css';
import { HistoryRow } from './history-row.tsx';

export function HistoryPage() {
  const { t } = useTexts();
  useTitle(t('lists:history.title'));
  return <RequireViewer>{() => <Body />}</RequireViewer>;
}

function Body() {
  const { t } = useTexts();
  const query = useInfiniteQuery(historyQuery);
  const entries = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title={t('lists:history.title')} actions={entries.length > 0 && <EraseAll />}>
      <div className={styles['recording']}>
        <HistorySwitch />
      </div>
      <Paused />
      {query.isError && !query.data ? (
        <ErrorNotice error={query.error} busy={query.isFetching} onRetry={() => void query.refetch()} />
      ) : query.isPending ? (
        <PageSpinner />
      ) : entries.length === 0 ? (
        <Notice
          compact
          icon={<History size={26} aria-hidden />}
          title={t('lists:history.empty')}
          text={t('lists:history.emptyText')}
          actions={
            <Link to="/" className={buttonClass({ tone: 'accent' })}>
              {t('lists:history.watch')}
            </Link>
          }
        />
      ) : (
        <>
          <Days entries={entries} />
          {query.hasNextPage && (
            <Button block busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {t('actions.loadMore')}
            </Button>
          )}
        </>
      )}
    </Page>
  );
}

function Paused() {
  const { t } = useTexts();
  const { data } = useQuery(historySettingsQuery);
  if (!data?.paused) return null;
  return (
    <p role="status" className={styles['paused']}>
      <CirclePause size={20} aria-hidden />
      {t('lists:history.paused')}
    </p>
  );
}

function Days({ entries }: { entries: readonly HistoryEntry[] }) {
  const { t } = useTexts();
  const language = useLanguage();
  const nowMs = useNow();
  const nameOf = (startMs: number) => {
    const ago = daysAgo(startMs, nowMs);
    if (ago <= 0) return t('lists:history.today');
    return ago === 1 ? t('lists:history.yesterday') : formatDay(startMs, language, nowMs);
  };
  return groupByDay(entries).map((day) => (
    <section key={day.startMs} className={styles['day']}>
      <h2>{nameOf(day.startMs)}</h2>
      <ul className={styles['rows']}>
        {day.entries.map((entry) => (
          <HistoryRow key={entry.video.id} entry={entry} />
        ))}
      </ul>
    </section>
  ));
}

function EraseAll() {
  const { t } = useTexts();
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const erase = useMutation({
    mutationFn: () => client.call(api.history.clear),
    onSuccess: async () => {
      forgetPlaces();
      setAsking(false);
      toast(t('lists:history.cleared'));
      await queries.invalidateQueries({ queryKey: historyQuery.queryKey });
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <>
      <Button icon={<Trash2 size={17} aria-hidden />} onClick={() => setAsking(true)}>
        {t('lists:history.clear')}
      </Button>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={t('lists:history.clearTitle')}
        description={t('lists:history.clearText')}
        confirmLabel={t('lists:history.clear')}
        danger
        busy={erase.isPending}
        onConfirm={() => erase.mutate()}
      />
    </>
  );
}
