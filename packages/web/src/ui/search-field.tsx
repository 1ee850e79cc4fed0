import { Search, X } from 'lucide-react';
import { useRef } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { IconButton } from './button.tsx';
import styles from './search-field.module.css';

interface SearchFieldProps {
  value: string;
  label: string;
  /** By default the label. */
  placeholder?: string;
  onChange(value: string): void;
}

/** Narrows a list that is on the page already, as one types. */
export function SearchField({ value, label, placeholder = label, onChange }: SearchFieldProps) {
  const { t } = useTexts();
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className={styles['search']}>
      <Search size={18} aria-hidden />
      <input
        ref={input}
        type="search"
        value={value}
        aria-label={label}
        placeholder={placeholder}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
      />
      {value !== '' && (
        <IconButton
          label={t('actions.clear')}
          size="sm"
          onClick={() => {
            onChange('');
            input.current?.focus();
          }}
        >
          <X size={17} aria-hidden />
        </IconButton>
      )}
    </div>
  );
}
