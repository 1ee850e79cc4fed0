import { api, type CacheReport, type OperationsReport } from '@hvideo/protocol';
import { useQuery } from '@tanstack/react-query';
import { ShieldAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { client } from '../../app/client.ts';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { formatBytes, formatCount, formatDuration } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { PageSpinner } from '../../ui/spinner.tsx';
import styles from './operations-page.module.css';

const pollMs = 2_000;

export function OperationsPage() {
  const { t } = useTexts();
  useTitle(t('operations:title'));
  return (
    <RequireViewer>
      {(viewer) =>
        viewer.role === 'admin' ? (
          <Body />
        ) : (
          <Notice icon={<ShieldAlert size={28} aria-hidden />} title={t('operations:refused')} />
        )
      }
    </RequireViewer>
  );
}

function Body() {
  const { t } = useTexts();
  const query = useQuery({
    queryKey: ['operations'],
    queryFn: ({ signal }) => client.call(api.operations.report, {}, { signal }),
    refetchInterval: pollMs,
  });
  const report = query.data;
  if (!report) {
    return query.isError ? (
      <ErrorNotice error={query.error} busy={query.isFetching} onRetry={() => void query.refetch()} />
    ) : (
      <PageSpinner />
    );
  }
  return (
    <Page
      width="wide"
      title={t('operations:title')}
      text={t('operations:text', { time: formatDuration(report.uptimeSeconds * 1000) })}
    >
      <Tiles report={report} />
      <Caches caches={report.caches} />
      <HotKeys keys={report.hotKeys} />
    </Page>
  );
}

type Mood = 'good' | 'warn' | 'bad';

function Tile(props: { name: string; value: string; mood?: Mood; children: ReactNode }) {
  return (
    <section className={styles['tile']} aria-label={props.name}>
      <h2>{props.name}</h2>
      <strong className={classes(styles['value'], props.mood && styles[props.mood])}>{props.value}</strong>
      <div className={styles['about']}>{props.children}</div>
    </section>
  );
}

const feedMoods: Partial<Record<OperationsReport['changeFeed']['state'], Mood>> = {
  leading: 'good',
  waiting: 'good',
  retrying: 'bad',
};

const breakers = {
  closed: { text: 'operations:storeUp', mood: 'good' },
  'half-open': { text: 'operations:storeTrying', mood: 'warn' },
  open: { text: 'operations:storeDown', mood: 'bad' },
} as const;

function Tiles({ report }: { report: OperationsReport }) {
  const { t } = useTexts();
  const language = useLanguage();
  const { changeFeed: feed, store, level1, existence, loads } = report;
  const count = (value: number) => formatCount(value, language);
  const breaker = breakers[store.connected ? store.breaker : 'open'];
  return (
    <div className={styles['tiles']}>
      <Tile
        name={t('operations:feed')}
        value={t(`operations:feedState.${feed.state}`)}
        mood={feedMoods[feed.state] ?? 'warn'}
      >
        <p>{t('operations:feedLag', { ms: Math.round(feed.lagMs), count: count(feed.handledRows) })}</p>
        {feed.timesRebuilt > 0 && <p>{t('operations:feedRebuilt', { times: feed.timesRebuilt })}</p>}
        {feed.lastError && <p>{t('operations:feedError', { text: feed.lastError })}</p>}
      </Tile>
      <Tile name={t('operations:store')} value={t(breaker.text)} mood={breaker.mood}>
        <p>
          {t('operations:storeText', { failures: count(store.failures), missed: count(store.missedRows) })}
        </p>
        {store.bytes !== null && (
          <p>{t('operations:storeBytes', { size: formatBytes(store.bytes, language) })}</p>
        )}
      </Tile>
      <Tile
        name={t('operations:level1')}
        value={formatBytes(level1.bytes, language)}
        mood={level1.trusted ? 'good' : 'warn'}
      >
        <p>
          {level1.trusted
            ? t('operations:level1Text', {
                entries: count(level1.entries),
                evictions: count(level1.evictions),
              })
            : t('operations:level1Off')}
        </p>
      </Tile>
      <Tile
        name={t('operations:filter')}
        value={
          existence.ready
            ? t('operations:filterReady', { count: existence.size })
            : t('operations:filterWaiting')
        }
        mood={existence.ready ? 'good' : 'warn'}
      >
        <p>{t('operations:filterText')}</p>
      </Tile>
      <Tile name={t('operations:loads')} value={count(loads.running)}>
        <p>{t('operations:loadsText', { waiting: count(loads.waiting) })}</p>
      </Tile>
      <Tile name={t('operations:memory')} value={formatBytes(report.memoryBytes, language)}>
        <p>{t('operations:memoryText', { version: report.version })}</p>
      </Tile>
    </div>
  );
}

function Caches({ caches }: { caches: readonly CacheReport[] }) {
  const { t } = useTexts();
  const language = useLanguage();
  const count = (value: number) => formatCount(value, language);
  return (
    <section className={styles['section']} aria-label={t('operations:caches')}>
      <h2>{t('operations:caches')}</h2>
      <p className={styles['note']}>{t('operations:cachesText')}</p>
      <ul className={styles['legend']} aria-hidden>
        {(['level1', 'level2', 'shared', 'loaded'] as const).map((part) => (
          <li key={part}>
            <i className={styles[part]} />
            {t(`operations:legend.${part}`)}
          </li>
        ))}
      </ul>
      <div className={styles['caches']}>
        {caches.map((cache) => (
          <article key={cache.name} className={styles['cache']}>
            <header>
              <code>{cache.name}</code>
              <span className={styles['reads']}>
                {t('operations:reads', { count: cache.reads, number: count(cache.reads) })}
              </span>
            </header>
            <HitBar cache={cache} />
            <dl>
              <Figure name={t('operations:column.loads')} value={count(cache.loads)} />
              <Figure
                name={t('operations:column.stale')}
                value={count(cache.staleServes)}
                isBad={cache.staleServes > 0}
              />
              <Figure
                name={t('operations:column.failures')}
                value={count(cache.loadFailures)}
                isBad={cache.loadFailures > 0}
              />
            </dl>
            <p className={styles['leases']}>
              {t('operations:column.leases')}:{' '}
              {t('operations:leases', {
                granted: count(cache.leasesGranted),
                busy: count(cache.leasesBusy),
                expired: count(cache.leasesExpired),
                voided: count(cache.fillsVoided),
              })}
            </p>
          </article>
        ))}
      </div>
    </section>
  );
}

function Figure({ name, value, isBad = false }: { name: string; value: string; isBad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={isBad ? styles['warn'] : undefined}>{value}</dd>
    </div>
  );
}

/** Who answered the reads, as shares of one bar. */
function HitBar({ cache }: { cache: CacheReport }) {
  const { t } = useTexts();
  const parts = [
    { part: 'level1', value: cache.level1Hits },
    { part: 'level2', value: cache.level2Hits },
    { part: 'shared', value: cache.coalesced },
    { part: 'loaded', value: cache.misses },
  ] as const;
  const sum = parts.reduce((total, { value }) => total + value, 0);
  const text = parts
    .map(
      ({ part, value }) =>
        `${t(`operations:legend.${part}`)} ${Math.round((100 * value) / Math.max(1, sum))}%`,
    )
    .join(', ');
  return (
    <div className={styles['bar']} role="img" aria-label={text} title={text}>
      {parts.map(({ part, value }) =>
        value > 0 ? <i key={part} className={styles[part]} style={{ flexGrow: value / sum }} /> : null,
      )}
    </div>
  );
}

function HotKeys({ keys }: { keys: OperationsReport['hotKeys'] }) {
  const { t } = useTexts();
  const most = Math.max(1, ...keys.map(({ perSecond }) => perSecond));
  return (
    <section className={styles['section']} aria-label={t('operations:hotKeys')}>
      <h2>{t('operations:hotKeys')}</h2>
      <p className={styles['note']}>{t('operations:hotKeysText')}</p>
      {keys.length === 0 ? (
        <p className={styles['note']}>{t('operations:noHotKeys')}</p>
      ) : (
        <ol className={styles['keys']}>
          {keys.map(({ key, perSecond }) => (
            <li key={key} style={{ '--share': perSecond / most } as React.CSSProperties}>
              <code>{key}</code>
              <span>{t('operations:perSecond', { count: Math.round(perSecond) })}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
