import { ApiError } from '@hvideo/client';
import { type Account, api } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Download, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { changeViewer } from '../../app/session.ts';
import { forgetChatOf } from '../../chat/forget.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { saveBlob } from '../../lib/save-blob.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Card, Form, formStyles, textOf } from '../../ui/form.tsx';
import { PasswordField } from '../../ui/password-field.tsx';
import { toast } from '../../ui/toast.tsx';

export function DataSection({ viewer }: { viewer: Account }) {
  return (
    <>
      <ExportCard viewer={viewer} />
      <DeleteCard viewer={viewer} />
    </>
  );
}

function ExportCard({ viewer }: { viewer: Account }) {
  const { t } = useTexts();
  const download = useMutation({
    mutationFn: async () => {
      // Original videos are in it: making it may take longer than an ordinary answer.
      const limits = { attemptMs: 120_000, deadlineMs: 120_000, maxAttempts: 1 };
      const answer = await client.raw(api.me.export, {}, { limits });
      return answer.blob();
    },
    onSuccess: (blob) => saveBlob(blob, `h-video-${viewer.username}.zip`),
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <Card title={t('account:export')}>
      <p className={formStyles['muted']}>{t('account:exportText')}</p>
      <div>
        <Button
          icon={<Download size={18} aria-hidden />}
          busy={download.isPending}
          onClick={() => download.mutate()}
        >
          {t(download.isPending ? 'account:exporting' : 'account:exportAction')}
        </Button>
      </div>
      <p className="visually-hidden" role="status">
        {download.isSuccess ? t('account:exported') : ''}
      </p>
    </Card>
  );
}

function DeleteCard({ viewer }: { viewer: Account }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.me.delete, { body: { password: textOf(values, 'password') } }),
    onSuccess: async () => {
      await navigate({ to: '/' });
      await forgetChatOf(viewer.id).catch((error: unknown) => toast(errorText(error), 'error'));
      changeViewer(null);
      toast(t('account:accountDeleted'));
    },
  });
  const isWrong = remove.error instanceof ApiError && remove.error.code === 'bad-credentials';
  return (
    <Card title={t('account:deleteAccount')}>
      <p className={formStyles['muted']}>{t('account:deleteAccountText')}</p>
      <div>
        <Button
          tone="warn"
          icon={<Trash2 size={18} aria-hidden />}
          onClick={() => {
            remove.reset();
            setAsking(true);
          }}
        >
          {t('account:deleteAccount')}
        </Button>
      </div>
      <Dialog
        open={isAsking}
        onOpenChange={setAsking}
        title={t('account:deleteAccountTitle')}
        description={t('account:deleteAccountWarning')}
      >
        <Form onSubmit={remove.mutate} error={isWrong ? null : remove.error}>
          <PasswordField
            label={t('account:password')}
            error={isWrong ? t('account:wrongPassword') : undefined}
            name="password"
            autoComplete="current-password"
            required
          />
          <div className={formStyles['end']}>
            <Button onClick={() => setAsking(false)}>{t('actions.cancel')}</Button>
            <Button type="submit" tone="danger" busy={remove.isPending}>
              {t('account:deleteForGood')}
            </Button>
          </div>
        </Form>
      </Dialog>
    </Card>
  );
}
