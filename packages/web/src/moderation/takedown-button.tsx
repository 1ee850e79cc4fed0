import { api, type VideoCard } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { ShieldX } from 'lucide-react';
import { useState } from 'react';
import { client } from '../app/client.ts';
import { queryClient } from '../app/query.ts';
import { useViewer } from '../app/session.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextArea } from '../ui/field.tsx';
import { Form, formStyles, textOf } from '../ui/form.tsx';
import { toast } from '../ui/toast.tsx';

const REASON_MAX = 500;

/** For moderators, on videos of others; nothing for everybody else. */
export function TakedownButton({ card }: { card: VideoCard }) {
  const { t } = useTexts();
  const viewer = useViewer();
  const [isOpen, setOpen] = useState(false);
  const takeDown = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.videos.takedown, {
        params: { id: card.id },
        body: { reason: textOf(values, 'reason') },
      }),
    onSuccess: () => {
      setOpen(false);
      toast(t('account:moderation.takenDown'));
      for (const key of ['videos', 'video', 'feed']) {
        void queryClient.invalidateQueries({ queryKey: [key] });
      }
    },
  });
  if (!viewer || viewer.role === 'user' || card.viewer.own) return null;
  return (
    <>
      <Button size="sm" tone="plain" icon={<ShieldX size={17} aria-hidden />} onClick={() => setOpen(true)}>
        {t('account:moderation.takeDown')}
      </Button>
      <Dialog
        open={isOpen}
        onOpenChange={setOpen}
        title={t('account:moderation.takeDownTitle')}
        description={t('account:moderation.takeDownText')}
      >
        <Form onSubmit={takeDown.mutate} error={takeDown.error}>
          <TextArea label={t('account:moderation.reason')} name="reason" maxLength={REASON_MAX} required />
          <div className={formStyles['end']}>
            <Button onClick={() => setOpen(false)}>{t('actions.cancel')}</Button>
            <Button type="submit" tone="danger" busy={takeDown.isPending}>
              {t('account:moderation.takeDown')}
            </Button>
          </div>
        </Form>
      </Dialog>
    </>
  );
}
