import { useState } from 'react';
import { useTexts } from '../../i18n/use-texts.ts';
import { SelectField, TextField } from '../../ui/field.tsx';
import { localInput } from './local-time.ts';

interface PublishTimeProps {
  error: string | undefined;
  /** The time that is set already, if one is. */
  scheduledFor?: string | null;
}

/** Now, or at a time to come. */
export function PublishTime({ error, scheduledFor = null }: PublishTimeProps) {
  const { t } = useTexts();
  const [isLater, setLater] = useState(scheduledFor !== null);
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
          defaultValue={scheduledFor === null ? undefined : localInput(new Date(scheduledFor))}
          required
        />
      )}
    </>
  );
}
