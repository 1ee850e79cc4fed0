import { api, type Session } from '@hvideo/protocol';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Monitor, Smartphone } from 'lucide-react';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatAgo } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useNow } from '../../lib/use-now.ts';
import { Button } from '../../ui/button.tsx';
import { Card, formStyles } from '../../ui/form.tsx';
import { PagedList } from '../../ui/paged-list.tsx';
import { toast } from '../../ui/toast.tsx';

export function DevicesSection() {
  const { t } = useTexts();
  const query = useInfiniteQuery({
    queryKey: ['sessions'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.me.sessions,
        { query: { limit: 20, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
  return (
    <Card>
      <p className={formStyles['muted']}>{t('account:devicesText')}</p>
      <PagedList query={query}>{(session) => <Device key={session.id} session={session} />}</PagedList>
    </Card>
  );
}

function Device({ session }: { session: Session }) {
  const { t } = useTexts();
  const language = useLanguage();
  const nowMs = useNow();
  const revoke = useMutation({
    mutationFn: () => client.call(api.me.revokeSession, { params: { id: session.id } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['sessions'] }),
    onError: (error) => toast(errorText(error), 'error'),
  });
  const Icon = /android|iphone|ipad|mobile/i.test(session.device) ? Smartphone : Monitor;
  return (
    <li className={formStyles['entry']}>
      <span className={formStyles['badge']}>
        <Icon size={20} aria-hidden />
      </span>
      <div className={formStyles['grow']}>
        <b>{session.device}</b>
        <p className={formStyles['muted']}>
          {session.current ? (
            <span className={formStyles['good']}>{t('account:thisDevice')}</span>
          ) : (
            t('account:lastUsed', { time: formatAgo(session.lastUsedAt, language, nowMs) })
          )}{' '}
          · {session.address}
        </p>
      </div>
      {!session.current && (
        <Button
          size="sm"
          busy={revoke.isPending}
          aria-label={t('account:revokeName', { device: session.device })}
          onClick={() => revoke.mutate()}
        >
          {t('account:revoke')}
        </Button>
      )}
    </li>
  );
}
