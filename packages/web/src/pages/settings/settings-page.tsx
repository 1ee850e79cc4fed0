import { type Account, api, PASSWORD_MIN, type Session } from '@hvideo/protocol';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { client } from '../../app/client.ts';
import { errorFields, errorText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { updateViewer, viewerQuery } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatAgo } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useNow } from '../../lib/use-now.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { TextArea, TextField } from '../../ui/field.tsx';
import { Card, Form, formStyles, textOf } from '../../ui/form.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Page } from '../../ui/page.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { toast } from '../../ui/toast.tsx';

export function SettingsPage() {
  const { t } = useTexts();
  useTitle(t('nav.settings'));
  return (
    <RequireViewer>
      {(viewer) => (
        <Page title={t('nav.settings')}>
          <div className={formStyles['stack']}>
            <ProfileCard key={viewer.id} viewer={viewer} />
            <PasswordCard />
            <DevicesCard />
          </div>
        </Page>
      )}
    </RequireViewer>
  );
}

function ProfileCard({ viewer }: { viewer: Account }) {
  const { t } = useTexts();
  const save = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.me.update, {
        body: { displayName: textOf(values, 'displayName'), bio: textOf(values, 'bio') },
      }),
    onSuccess: (account) => {
      updateViewer(account);
      toast(t('status.saved'));
    },
  });
  const fields = errorFields(save.error);
  return (
    <Card title={t('account:profile')}>
      <Picture viewer={viewer} />
      <Form onSubmit={save.mutate} error={save.error}>
        <TextField
          label={t('account:displayName')}
          error={fields['displayName']}
          name="displayName"
          defaultValue={viewer.displayName}
          maxLength={40}
          required
        />
        <TextArea
          label={t('account:bio')}
          error={fields['bio']}
          name="bio"
          defaultValue={viewer.bio}
          maxLength={300}
        />
        <Button type="submit" tone="accent" busy={save.isPending}>
          {t('actions.save')}
        </Button>
      </Form>
    </Card>
  );
}

function Picture({ viewer }: { viewer: Account }) {
  const { t } = useTexts();
  const input = useRef<HTMLInputElement>(null);
  const onError = (error: unknown) => toast(errorText(error), 'error');
  const put = useMutation({
    mutationFn: (file: File) =>
      client.call(
        api.me.putAvatar,
        {},
        { raw: { body: file, type: file.type || 'application/octet-stream' }, limits: { attemptMs: 60_000 } },
      ),
    onSuccess: updateViewer,
    onError,
  });
  const remove = useMutation({
    mutationFn: () => client.call(api.me.deleteAvatar),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: viewerQuery.queryKey }),
    onError,
  });
  return (
    <div className={formStyles['row']}>
      <Avatar user={viewer} size={72} decorative={false} />
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) put.mutate(file);
          event.currentTarget.value = '';
        }}
      />
      <Button busy={put.isPending} onClick={() => input.current?.click()}>
        {t('account:changePicture')}
      </Button>
      {viewer.avatarUrl !== null && (
        <Button tone="plain" busy={remove.isPending} onClick={() => remove.mutate()}>
          {t('account:removePicture')}
        </Button>
      )}
    </div>
  );
}

function PasswordCard() {
  const { t } = useTexts();
  const change = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.auth.changePassword, {
        body: {
          currentPassword: textOf(values, 'currentPassword'),
          newPassword: textOf(values, 'newPassword'),
        },
      }),
    onSuccess: () => toast(t('account:passwordChanged')),
  });
  return (
    <Card title={t('account:security')}>
      <Form key={change.submittedAt} onSubmit={change.mutate} error={change.error}>
        <TextField
          label={t('account:currentPassword')}
          name="currentPassword"
          type="password"
          autoComplete="current-password"
          required
        />
        <TextField
          label={t('account:newPassword')}
          hint={t('account:passwordHint', { min: PASSWORD_MIN })}
          error={errorFields(change.error)['newPassword']}
          name="newPassword"
          type="password"
          autoComplete="new-password"
          minLength={PASSWORD_MIN}
          required
        />
        <Button type="submit" busy={change.isPending}>
          {t('account:changePassword')}
        </Button>
      </Form>
    </Card>
  );
}

function DevicesCard() {
  const { t } = useTexts();
  const query = useQuery({
    queryKey: ['sessions'],
    queryFn: ({ signal }) => client.call(api.me.sessions, { query: { limit: 50 } }, { signal }),
  });
  return (
    <Card title={t('account:devices')}>
      <p className={formStyles['muted']}>{t('account:devicesText')}</p>
      {query.isPending ? (
        <Skeleton height="4rem" />
      ) : query.isError ? (
        <ErrorNotice compact error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <ul className={formStyles['stack']}>
          {query.data.items.map((session) => (
            <Device key={session.id} session={session} />
          ))}
        </ul>
      )}
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
  return (
    <li className={formStyles['row']}>
      <div className={formStyles['grow']}>
        <b>{session.device}</b>
        <p className={formStyles['muted']}>
          {session.current
            ? t('account:thisDevice')
            : t('account:lastUsed', { time: formatAgo(session.lastUsedAt, language, nowMs) })}{' '}
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
