import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useRef } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { Button, IconButton } from './button.tsx';
import styles from './dialog.module.css';

interface DialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description?: string | undefined;
  children?: ReactNode;
  /** Buttons at the bottom. */
  footer?: ReactNode;
  wide?: boolean;
  /** Stands beside the title. */
  aside?: ReactNode;
}

/** A dialog; on a phone it comes up from the bottom edge as a sheet. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  children,
  footer,
  wide,
  aside,
}: DialogProps) {
  const { t } = useTexts();
  // Opened by state, not by a trigger that the dialog knows: it keeps in mind itself where the focus was.
  const opener = useRef<Element>(null);
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={styles['overlay']} />
        <Radix.Content
          className={classes(styles['content'], wide && styles['wide'])}
          onOpenAutoFocus={() => {
            opener.current = lasting(document.activeElement);
          }}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            if (opener.current instanceof HTMLElement) opener.current.focus({ preventScroll: true });
          }}
          {...(description === undefined && { 'aria-describedby': undefined })}
        >
          <header className={styles['header']}>
            <Radix.Title className={styles['title']}>{title}</Radix.Title>
            {aside}
            <Radix.Close asChild>
              <IconButton label={t('actions.close')} size="sm">
                <X size={20} aria-hidden />
              </IconButton>
            </Radix.Close>
          </header>
          {description !== undefined && (
            <Radix.Description className={styles['description']}>{description}</Radix.Description>
          )}
          {children && <div className={styles['body']}>{children}</div>}
          {footer && <footer className={styles['footer']}>{footer}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The item of a menu is gone when the dialog closes; the button of the menu is still there. */
function lasting(focused: Element | null): Element | null {
  const buttonId = focused?.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  return buttonId ? document.getElementById(buttonId) : focused;
}

interface ConfirmProps extends Omit<DialogProps, 'footer' | 'wide'> {
  confirmLabel: string;
  onConfirm(): void;
  busy?: boolean;
  danger?: boolean;
}

export function ConfirmDialog({ confirmLabel, onConfirm, busy, danger, ...dialog }: ConfirmProps) {
  const { t } = useTexts();
  return (
    <Dialog
      {...dialog}
      footer={
        <>
          <Button onClick={() => dialog.onOpenChange(false)}>{t('actions.cancel')}</Button>
          <Button tone={danger ? 'danger' : 'accent'} busy={busy ?? false} onClick={onConfirm}>
            {confirmLabel}
          </Button>
        </>
      }
    />
  );
}
