import { classes } from '../lib/classes.ts';
import styles from './segments.module.css';

interface SegmentsProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChange(value: Value): void;
  block?: boolean;
}

/** A few choices side by side, one of which holds. */
export function Segments<Value extends string>({
  label,
  value,
  options,
  onChange,
  block = false,
}: SegmentsProps<Value>) {
  return (
    <fieldset className={classes(styles['segments'], block && styles['block'])}>
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          className={styles['segment']}
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </fieldset>
  );
}
