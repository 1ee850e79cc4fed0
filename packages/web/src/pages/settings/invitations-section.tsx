import { api, type Invitation } from '@hvideo/protocol';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Link2, Plus, X } from 'lucide-react';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useInstance } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { formatMoment } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Card, Form, formStyles, textOf } from '../../ui/form.tsx';
import { PagedList } from '../../ui/paged-list.tsx';
import { toast } from '../../ui/toast.tsx';
import { copyText } from '../../watch/copy-link.ts';

const queryKey = ['invitations'];
const refresh = () => queryClient.invalidateQueries({ queryKey });

/** For moderators: links that let people in. */
export function InvitationsSection() {
  const { t } = useTexts();
  const instance = useInstance();
  const query = useInfiniteQuery({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.instance.invitations,
        { query: { limit: 30, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
  return (
    <>
      <MakeCard />
      <Card title={t('account:invitationsOpen')}>
        {instance && instance.registration !== 'invitation' && (
          <p className={formStyles['muted']}>{t(`account:invitationsWhen.${instance.registration}`)}</p>
        )}
        <PagedList query={query} empty={<p className={formStyles['empty']}>{t('account:noInvitations')}</p>}>
          {(invitation) => <Entry key={invitation.code} invitation={invitation} />}
        </PagedList>
      </Card>
    </>
  );
}

function MakeCard() {
  const { t } = useTexts();
  const make = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.instance.invite, {
        body: { uses: Number(textOf(values, 'uses')), validDays: Number(textOf(values, 'validDays')) },
      }),
    onSuccess: refresh,
  });
  return (
    <Card title={t('account:invite')}>
      <Form onSubmit={make.mutate} error={make.error}>
        <div className={formStyles['pair']}>
          <TextField
            label={t('account:inviteUses')}
            name="uses"
            type="number"
            min={1}
            max={1000}
            defaultValue={1}
            required
          />
          <TextField
            label={t('account:inviteDays')}
            name="validDays"
            type="number"
            min={1}
            max={365}
            defaultValue={7}
            required
          />
        </div>
        <div className={formStyles['end']}>
          <Button type="submit" tone="accent" icon={<Plus size={18} aria-hidden />} busy={make.isPending}>
            {t('account:inviteMake')}
          </Button>
        </div>
      </Form>
    </Card>
  );
}

function Entry({ invitation }: { invitation: Invitation }) {
  const { t } = useTexts();
  const language = useLanguage();
  const { code } = invitation;
  const revoke = useMutation({
    mutationFn: () => client.call(api.instance.revokeInvitation, { params: { code } }),
    onSuccess: refresh,
    onError: (error) => toast(errorText(error), 'error'),
  });
  const link = new URL(`/register?invitation=${encodeURIComponent(code)}`, location.href).href;
  return (
    <li className={classes(formStyles['entry'], formStyles['wraps'])}>
      <div className={formStyles['grow']}>
        <code>{code}</code>
        <p className={formStyles['muted']}>
          {t('account:inviteLeft', {
            count: invitation.usesLeft,
            time: formatMoment(invitation.expiresAt, language),
          })}
        </p>
      </div>
      <Button size="sm" icon={<Link2 size={16} aria-hidden />} onClick={() => void copyText(link)}>
        {t('actions.copyLink')}
      </Button>
      <IconButton
        size="sm"
        label={t('account:inviteRevoke', { code })}
        disabled={revoke.isPending}
        onClick={() => revoke.mutate()}
      >
        <X size={18} aria-hidden />
      </IconButton>
    </li>
  );
}
