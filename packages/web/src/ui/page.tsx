import type { ReactNode } from 'react';
import { classes } from '../lib/classes.ts';
import styles from './page.module.css';

interface PageProps {
  title: string;
  text?: string | undefined;
  /** Buttons beside the title. */
  actions?: ReactNode;
  children: ReactNode;
  width?: 'narrow' | 'normal' | 'wide';
}

/** A plain page with a heading: everything that is not the player. */
export function Page({ title, text, actions, children, width = 'normal' }: PageProps) {
  return (
    <div className={classes(styles['page'], styles[width])}>
      <header className={styles['header']}>
        <div>
          <h1 className={styles['title']}>{title}</h1>
          {text && <p className={styles['text']}>{text}</p>}
        </div>
        {actions && <div className={styles['actions']}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
