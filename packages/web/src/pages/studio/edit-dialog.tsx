import { api, type OwnVideo, TAGS_MAX, TITLE_MAX, type VideoVisibility } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { errorFields } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatDuration } from '../../lib/format.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField, TextArea, TextField } from '../../ui/field.tsx';
import { Form, textOf } from '../../ui/form.tsx';
import { toast } from '../../ui/toast.tsx';
import styles from './studio-page.module.css';

const visibilities: readonly VideoVisibility[] = ['public', 'followers', 'unlisted', 'private'];

/** Changes what a video says, who may see it and its cover. */
export function EditDialog({ video, onClose }: { video: OwnVideo; onClose(): void }) {
  const { t } = useTexts();
  const [coverTimeMs, setCoverTimeMs] = useState<number | undefined>(undefined);
  const save = useMutation({
    mutationFn: (values: FormData) =>
      client.call(api.videos.update, {
        params: { id: video.id },
        body: {
          title: textOf(values, 'title'),
          description: textOf(values, 'description'),
          tags: textOf(values, 'tags')
            .split(/[\s,，、]+/)
            .filter(Boolean),
          visibility: visibilities.find((it) => it === values.get('visibility')) ?? video.visibility,
          ...(coverTimeMs !== undefined && { coverTimeMs }),
        },
      }),
    onSuccess: () => {
      toast(t('upload:saved'));
      for (const name of ['studio', 'videos', 'video', 'feed']) {
        void queryClient.invalidateQueries({ queryKey: [name] });
      }
      onClose();
    },
  });
  const fields = errorFields(save.error);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t('upload:editTitle')} wide>
      <Form error={save.error} onSubmit={(values) => save.mutate(values)}>
        <TextField
          label={t('upload:name')}
          error={fields['title']}
          name="title"
          defaultValue={video.title}
          maxLength={TITLE_MAX}
          required
        />
        <TextArea
          label={t('upload:description')}
          error={fields['description']}
          name="description"
          defaultValue={video.description}
          maxLength={2000}
        />
        <TextField
          label={t('upload:tags')}
          hint={t('upload:tagsHint', { max: TAGS_MAX })}
          error={fields['tags']}
          name="tags"
          defaultValue={video.tags.join(' ')}
        />
        <SelectField label={t('upload:visibility')} name="visibility" defaultValue={video.visibility}>
          {visibilities.map((visibility) => (
            <option key={visibility} value={visibility}>
              {t(`watch:details.visibility.${visibility}`)}
            </option>
          ))}
        </SelectField>
        {video.coverSuggestions.length > 0 && (
          <fieldset className={styles['covers']}>
            <legend>{t('upload:cover')}</legend>
            {video.coverSuggestions.map(({ url, timeMs }) => (
              <button
                key={timeMs}
                type="button"
                aria-pressed={coverTimeMs === timeMs}
                aria-label={t('upload:coverAt', { time: formatDuration(timeMs) })}
                onClick={() => setCoverTimeMs(timeMs)}
              >
                <img src={url} alt="" />
              </button>
            ))}
          </fieldset>
        )}
        <Button type="submit" tone="accent" block busy={save.isPending}>
          {t('actions.save')}
        </Button>
      </Form>
    </Dialog>
  );
}
