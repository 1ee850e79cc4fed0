import { LoaderCircle } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { classes } from '../lib/classes.ts';
import styles from './button.module.css';

export type ButtonTone = 'accent' | 'solid' | 'soft' | 'plain' | 'danger' | 'warn' | 'over';
export type ButtonSize = 'sm' | 'md' | 'lg';

export interface ButtonLook {
  tone?: ButtonTone;
  size?: ButtonSize;
  block?: boolean;
}

/** The class names of a button, for links that look like one. */
export function buttonClass({ tone = 'soft', size = 'md', block = false }: ButtonLook = {}): string {
  return classes(styles['button'], styles[tone], styles[size], block && styles['block']);
}

interface ButtonProps extends ComponentProps<'button'>, ButtonLook {
  busy?: boolean;
  icon?: ReactNode;
}

export function Button({ tone, size, block, busy = false, icon, children, className, ...rest }: ButtonProps) {
  const look: ButtonLook = { ...(tone && { tone }), ...(size && { size }), ...(block && { block }) };
  return (
    <button
      type="button"
      {...rest}
      className={classes(buttonClass(look), className)}
      aria-busy={busy || undefined}
      disabled={rest.disabled || busy}
    >
      {busy ? <LoaderCircle className={styles['spin']} size={18} aria-hidden /> : icon}
      {children}
    </button>
  );
}

interface IconButtonProps extends ComponentProps<'button'> {
  /** What it does, for screen readers and as a tooltip. */
  label: string;
  tone?: 'plain' | 'soft' | 'over';
  size?: ButtonSize;
}

export function IconButton({ label, tone = 'plain', size = 'md', className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={classes(styles['button'], styles['icon'], styles[tone], styles[size], className)}
    />
  );
}
