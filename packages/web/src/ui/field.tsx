import { type ComponentProps, type ReactNode, useId } from 'react';
import { classes } from '../lib/classes.ts';
import styles from './field.module.css';

interface FieldFrameProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  /** Shown at the right of the label, such as a count of characters. */
  aside?: ReactNode;
}

interface InputProps extends Omit<ComponentProps<'input'>, 'id'>, FieldFrameProps {
  /** Inside the box, at its ends. */
  before?: ReactNode;
  after?: ReactNode;
}

function describe(id: string, hint: ReactNode, error: string | undefined) {
  const ids = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return { 'aria-invalid': error ? true : undefined, 'aria-describedby': ids || undefined };
}

function Frame({
  id,
  label,
  hint,
  error,
  aside,
  children,
}: FieldFrameProps & { id: string; children: ReactNode }) {
  return (
    <div className={styles['field']}>
      <div className={styles['head']}>
        <label htmlFor={id}>{label}</label>
        {aside && <span className={styles['aside']}>{aside}</span>}
      </div>
      {children}
      {error && (
        <p id={`${id}-error`} className={styles['error']} role="alert">
          {error}
        </p>
      )}
      {hint && (
        <p id={`${id}-hint`} className={styles['hint']}>
          {hint}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, aside, before, after, className, ...input }: InputProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error} aside={aside}>
      <div className={classes(styles['box'], error && styles['invalid'], className)}>
        {before}
        <input id={id} {...describe(id, hint, error)} {...input} />
        {after}
      </div>
    </Frame>
  );
}

interface AreaProps extends Omit<ComponentProps<'textarea'>, 'id'>, FieldFrameProps {}

export function TextArea({ label, hint, error, aside, className, ...area }: AreaProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error} aside={aside}>
      <div className={classes(styles['box'], styles['area'], error && styles['invalid'], className)}>
        <textarea id={id} {...describe(id, hint, error)} {...area} />
      </div>
    </Frame>
  );
}

interface SelectProps extends Omit<ComponentProps<'select'>, 'id'>, FieldFrameProps {}

export function SelectField({ label, hint, error, aside, className, children, ...select }: SelectProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error} aside={aside}>
      <div className={classes(styles['box'], styles['select'], error && styles['invalid'], className)}>
        <select id={id} {...describe(id, hint, error)} {...select}>
          {children}
        </select>
      </div>
    </Frame>
  );
}
