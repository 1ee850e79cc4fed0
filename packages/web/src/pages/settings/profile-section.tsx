import { type Account, api } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { client } from '../../app/client.ts';
import { errorFields, errorText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { updateViewer, viewerQuery } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { TextArea, TextField } from '../../ui/field.tsx';
import { Card, Form, formStyles, textOf } from '../../ui/form.tsx';
import { toast } from '../../ui/toast.tsx';

const BIO_MAX = 300;

export function ProfileSection({ viewer }: { viewer: Account }) {
  const { t } = useTexts();
  const save = useMutation({
    mutationFn: (values: FormData) => {
      const username = textOf(values, 'username').trim();
      return client.call(api.me.update, {
        body: {
          displayName: textOf(values, 'displayName'),
          bio: textOf(values, 'bio'),
          ...(username !== viewer.username && { username }),
        },
      });
    },
    onSuccess: (account) => {
      updateViewer(account);
      toast(t('status.saved'));
    },
  });
  const fields = errorFields(save.error);
  return (
    <Card>
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
        <TextField
          label={t('account:username')}
          hint={t('account:usernameHint')}
          error={fields['username']}
          name="username"
          defaultValue={viewer.username}
          autoCapitalize="none"
          spellCheck={false}
          minLength={3}
          maxLength={30}
          required
        />
        <TextArea
          label={t('account:bio')}
          error={fields['bio']}
          name="bio"
          defaultValue={viewer.bio}
          maxLength={BIO_MAX}
        />
        <div className={formStyles['end']}>
          <Button type="submit" tone="accent" busy={save.isPending}>
            {t('actions.save')}
          </Button>
        </div>
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
      <Avatar user={viewer} size={88} decorative={false} />
      <input
        ref={input}
        type="file"
        accept="image/*"
        aria-label={t('account:picture')}
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
