import { api, type OwnVideo } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { errorFields } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Form, formStyles } from '../../ui/form.tsx';
import { toast } from '../../ui/toast.tsx';
import { changesOf } from '../../videos/changes.ts';
import { StreamCover } from '../../videos/stream-cover.tsx';
import { VideoFields, videoFieldsOf } from '../../videos/video-fields.tsx';
import { rescheduleOf } from '../upload/local-time.ts';
import { PublishTime } from '../upload/publish-time.tsx';
import styles from './studio-page.module.css';

/** Changes what a video says, who may see it, when it appears and its cover. */
export function EditDialog({ video, onClose }: { video: OwnVideo; onClose(): void }) {
  const { t } = useTexts();
  // The list behind the dialog is read again while it is open; the form stays with what it began with.
  const [before] = useState(video);
  const [coverTimeMs, setCoverTimeMs] = useState<number | undefined>(undefined);
  const scheduledFor = before.publishedAt === null ? before.publishAt : null;
  const save = useMutation({
    mutationFn: async (values: FormData) => {
      const publishAt = scheduledFor === null ? undefined : rescheduleOf(values, scheduledFor);
      const body = changesOf(before, { ...videoFieldsOf(values), coverTimeMs, publishAt });
      if (Object.keys(body).length === 0) return false;
      await client.call(api.videos.update, { params: { id: before.id }, body });
      return true;
    },
    onSuccess: (hasChanged) => {
      toast(t(hasChanged ? 'upload:saved' : 'upload:nothingChanged'));
      if (hasChanged) {
        for (const name of ['studio', 'videos', 'video', 'feed']) {
          void queryClient.invalidateQueries({ queryKey: [name] });
        }
      }
      onClose();
    },
  });
  const fields = errorFields(save.error);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t('upload:editTitle')} wide>
      <Form error={save.error} onSubmit={save.mutate}>
        <div className={styles['edit']}>
          <StreamCover video={before} timeMs={coverTimeMs} onPick={setCoverTimeMs} />
          <div className={formStyles['stack']}>
            <VideoFields defaults={before} errors={fields} />
            {scheduledFor !== null && <PublishTime error={fields['publishAt']} scheduledFor={scheduledFor} />}
          </div>
        </div>
        <div className={formStyles['end']}>
          <Button onClick={onClose}>{t('actions.cancel')}</Button>
          <Button type="submit" tone="accent" busy={save.isPending}>
            {t('actions.save')}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
