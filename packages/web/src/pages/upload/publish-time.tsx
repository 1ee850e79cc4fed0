import { useState } from 'react';
import { useTexts } from '../../i18n/use-texts.ts';
import { SelectField, TextField } from '../../ui/field.tsx';

/** The moment as a `datetime-local` input wants it: in the person's own time zone. */
export function localInput(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The chosen time of a form with a `PublishTime`; undefined for now. */
export function publishAtOf(values: FormData): string | undefined {
  const text = values.get('publishAt');
  return typeof text === 'string' && text !== '' ? new Date(text).toISOString() : undefined;
}

/** Now, or at a time to come. */
export function PublishTime({ error }: { error: string | undefined }) {
  const { t } = useTexts();
  const [isLater, setLater] = useState(false);
  return (
    <>
      <SelectField
        label={t('upload:when')}
        value={isLater ? 'later' : 'now'}
        onChange={(event) => setLater(event.currentTarget.value === 'later')}
      >
        <option value="now">{t('upload:now')}</option>
        <option value="later">{t('upload:later')}</option>
      </SelectField>
      {isLater && (
        <TextField
          label={t('upload:publishAt')}
          error={error}
          name="publishAt"
          type="datetime-local"
          min={localInput(new Date())}
          required
        />
      )}
    </>
  );
}
