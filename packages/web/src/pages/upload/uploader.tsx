import { api, TITLE_MAX } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client } from '../../app/client.ts';
import { codeText, errorFields } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useStore } from '../../lib/use-store.ts';
import { Button } from '../../ui/button.tsx';
import { Card, Form, formStyles } from '../../ui/form.tsx';
import { toast } from '../../ui/toast.tsx';
import { VideoFields, videoFieldsOf } from '../../videos/video-fields.tsx';
import { CoverPicker } from './cover-picker.tsx';
import { publishAtOf } from './local-time.ts';
import { PublishTime } from './publish-time.tsx';
import { Published } from './published.tsx';
import { Transfer } from './transfer.tsx';
import { unfinishedKey } from './unfinished-list.tsx';
import styles from './upload-page.module.css';
import { problemCode, type UploadTask } from './upload-task.ts';

interface UploaderProps {
  task: UploadTask;
  onPublished(): void;
  onGone(): void;
}

/** One file on its way to being a video. */
export function Uploader({ task, onPublished, onGone }: UploaderProps) {
  const { t } = useTexts();
  const state = useStore(task.state);
  const [coverTimeMs, setCoverTimeMs] = useState<number | undefined>(undefined);
  useResumeOnline(task);
  const publish = useMutation({
    mutationFn: ({ values, uploadId }: { values: FormData; uploadId: string }) => {
      const publishAt = publishAtOf(values);
      return client.call(api.videos.create, {
        body: {
          uploadId,
          ...videoFieldsOf(values),
          ...(coverTimeMs !== undefined && { coverTimeMs }),
          ...(publishAt !== undefined && { publishAt }),
        },
      });
    },
    onSuccess: async () => {
      toast(t('upload:published'));
      onPublished();
      await task.forget();
      void queryClient.invalidateQueries({ queryKey: unfinishedKey });
      void queryClient.invalidateQueries({ queryKey: ['studio'] });
      void queryClient.invalidateQueries({ queryKey: ['videos'] });
    },
  });
  const discard = useMutation({
    mutationFn: () => task.discard(),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: unfinishedKey });
      onGone();
    },
    onError: (error) => toast(`${t('upload:discardFailed')} ${codeText(problemCode(error))}`, 'error'),
  });
  if (publish.data) return <Published video={publish.data} />;
  const fields = errorFields(publish.error);
  const { uploadId } = state;
  const { name } = task.file;
  return (
    <Card>
      <Transfer task={task} isRemoving={discard.isPending} onRemove={() => discard.mutate()} />
      {!state.problem?.startsWith('media-') && (
        <div className={styles['columns']}>
          <CoverPicker file={task.file} timeMs={coverTimeMs} onPick={setCoverTimeMs} />
          <Form
            error={publish.error}
            onSubmit={(values) => {
              if (uploadId !== undefined) publish.mutate({ values, uploadId });
            }}
          >
            <VideoFields
              errors={fields}
              defaults={{
                title: name.replace(/\.[^.]+$/, '').slice(0, TITLE_MAX),
                description: '',
                tags: [],
                visibility: 'public',
              }}
            />
            <PublishTime error={fields['publishAt']} />
            <div className={formStyles['end']}>
              <Button
                type="submit"
                tone="accent"
                size="lg"
                block
                disabled={uploadId === undefined}
                busy={publish.isPending}
              >
                {t('upload:publish')}
              </Button>
            </div>
          </Form>
        </div>
      )}
    </Card>
  );
}

/** An upload that ended because there was no network goes on when there is one again. */
function useResumeOnline(task: UploadTask) {
  useEffect(() => {
    const onOnline = () => {
      const { phase, problem } = task.state.get();
      if (phase === 'failed' && problem === undefined) task.start();
    };
    addEventListener('online', onOnline);
    return () => removeEventListener('online', onOnline);
  }, [task]);
}
