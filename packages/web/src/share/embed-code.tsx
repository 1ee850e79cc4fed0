import { useQuery } from '@tanstack/react-query';
import { useTexts } from '../i18n/use-texts.ts';
import { ErrorNotice } from '../ui/notice.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { CopyField } from './copy-field.tsx';
import styles from './embed-code.module.css';

const waitMs = 10_000;

/** The same code that other programs get by oEmbed, so that there is one. */
async function fetchCode(url: string, signal: AbortSignal): Promise<string> {
  const query = new URLSearchParams({ url, format: 'json' });
  const response = await fetch(`/oembed?${query}`, {
    credentials: 'omit',
    signal: AbortSignal.any([signal, AbortSignal.timeout(waitMs)]),
  });
  const body: unknown = await response.json();
  if (typeof body === 'object' && body !== null && 'html' in body && typeof body.html === 'string')
    return body.html;
  throw new TypeError(`No code came with status ${response.status}`);
}

export function EmbedCode({ url, onCopied }: { url: string; onCopied(): void }) {
  const { t } = useTexts();
  const query = useQuery({
    queryKey: ['embed', url],
    queryFn: ({ signal }) => fetchCode(url, signal),
  });
  return (
    <div className={styles['embed']}>
      {query.data !== undefined ? (
        <>
          <p>{t('share:embedText')}</p>
          <CopyField long label={t('share:embed')} value={query.data} onCopied={onCopied} />
        </>
      ) : query.isError ? (
        <ErrorNotice
          compact
          title={t('share:embedFailed')}
          error={query.error}
          onRetry={() => void query.refetch()}
        />
      ) : (
        <Skeleton height="9rem" />
      )}
    </div>
  );
}
