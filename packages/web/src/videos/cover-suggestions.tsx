import type { OwnVideo } from '@hvideo/protocol';
import { useTexts } from '../i18n/use-texts.ts';
import { formatDuration } from '../lib/format.ts';
import styles from './covers.module.css';

interface CoverSuggestionsProps {
  suggestions: OwnVideo['coverSuggestions'];
  timeMs: number | undefined;
  onPick(timeMs: number): void;
}

/** The stills that the server proposes. */
export function CoverSuggestions({ suggestions, timeMs, onPick }: CoverSuggestionsProps) {
  const { t } = useTexts();
  return (
    <fieldset className={styles['suggestions']}>
      <legend>{t('upload:suggestions')}</legend>
      {suggestions.map((suggestion) => (
        <button
          key={suggestion.timeMs}
          type="button"
          aria-pressed={timeMs === suggestion.timeMs}
          aria-label={t('upload:coverAt', { time: formatDuration(suggestion.timeMs) })}
          onClick={() => onPick(suggestion.timeMs)}
        >
          <img src={suggestion.url} alt="" />
        </button>
      ))}
    </fieldset>
  );
}
