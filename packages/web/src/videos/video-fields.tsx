import { DESCRIPTION_MAX, type OwnVideo, TAGS_MAX, TITLE_MAX, type VideoVisibility } from '@hvideo/protocol';
import { useTexts } from '../i18n/use-texts.ts';
import { SelectField, TextArea, TextField } from '../ui/field.tsx';
import { textOf } from '../ui/form.tsx';
import { parseTags } from './tags.ts';

const visibilities: readonly VideoVisibility[] = ['public', 'followers', 'unlisted', 'private'];

interface VideoFieldsProps {
  defaults: Pick<OwnVideo, 'title' | 'description' | 'tags' | 'visibility'>;
  errors: Readonly<Record<string, string>>;
}

/** What a video says of itself, and to whom. */
export function VideoFields({ defaults, errors }: VideoFieldsProps) {
  const { t } = useTexts();
  return (
    <>
      <TextField
        label={t('upload:name')}
        error={errors['title']}
        name="title"
        defaultValue={defaults.title}
        maxLength={TITLE_MAX}
        required
      />
      <TextArea
        label={t('upload:description')}
        error={errors['description']}
        name="description"
        defaultValue={defaults.description}
        maxLength={DESCRIPTION_MAX}
      />
      <TextField
        label={t('upload:tags')}
        hint={t('upload:tagsHint', { max: TAGS_MAX })}
        error={errors['tags']}
        name="tags"
        defaultValue={defaults.tags.join(' ')}
      />
      <SelectField label={t('upload:visibility')} name="visibility" defaultValue={defaults.visibility}>
        {visibilities.map((visibility) => (
          <option key={visibility} value={visibility}>
            {t(`watch:details.visibility.${visibility}`)}
          </option>
        ))}
      </SelectField>
    </>
  );
}

/** What was written into the fields. */
export function videoFieldsOf(values: FormData) {
  return {
    title: textOf(values, 'title'),
    description: textOf(values, 'description'),
    tags: parseTags(textOf(values, 'tags')),
    visibility: visibilities.find((it) => it === values.get('visibility')) ?? ('public' as const),
  };
}
