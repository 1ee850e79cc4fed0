import type { ReactNode } from 'react';
import { errorText } from '../app/errors.ts';
import styles from './form.module.css';

interface FormProps {
  /** Called with the form's values; the page is not left. */
  onSubmit(values: FormData): void;
  error?: unknown;
  children: ReactNode;
}

export function Form({ onSubmit, error, children }: FormProps) {
  return (
    <form
      className={styles['form']}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(new FormData(event.currentTarget));
      }}
    >
      {error != null && (
        <p className={styles['error']} role="alert">
          {errorText(error)}
        </p>
      )}
      {children}
    </form>
  );
}

export function Card({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <section className={styles['card']}>
      {title && <h2>{title}</h2>}
      {children}
    </section>
  );
}

export const formStyles = styles;

/** The text of a field, without what files would bring. */
export function textOf(values: FormData, name: string): string {
  const value = values.get(name);
  return typeof value === 'string' ? value : '';
}
