import { Search } from 'lucide-react';
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
  return (
    <div className={styles['search']}>
      <Search size={18} aria-hidden />
      <input
        type="search"
        value={value}
        aria-label={label}
        placeholder={placeholder}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
