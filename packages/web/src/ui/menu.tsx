import { DropdownMenu } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';
import { classes } from '../lib/classes.ts';
import styles from './menu.module.css';

/** A menu that opens from its trigger: one button element. */
export function Menu({ trigger, children }: { trigger: ReactElement; children: ReactNode }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={styles['content']} align="end" sideOffset={8} collisionPadding={12}>
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuAtProps {
  place: { readonly x: number; readonly y: number; readonly opener: HTMLElement | null };
  onClose(): void;
  children: ReactNode;
}

/** A menu that is open, at a point of the window: for menus that many things share. */
export function MenuAt({ place: { x, y, opener }, onClose, children }: MenuAtProps) {
  return (
    <DropdownMenu.Root open modal={false} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DropdownMenu.Trigger asChild>
        <span className={styles['point']} style={{ left: x, top: y }} aria-hidden />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className={styles['content']}
          align="start"
          sideOffset={4}
          collisionPadding={12}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            // What was chosen may have moved the focus already.
            if (document.activeElement === document.body) opener?.focus({ preventScroll: true });
          }}
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuItemProps {
  icon?: ReactNode;
  children: ReactNode;
  onSelect?: () => void;
  danger?: boolean;
  /** The child is a link that takes the item's looks. */
  asChild?: boolean;
}

export function MenuItem({ icon, children, onSelect, danger = false, asChild = false }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      className={classes(styles['item'], danger && styles['danger'])}
      asChild={asChild}
      {...(onSelect && { onSelect })}
    >
      {asChild ? (
        children
      ) : (
        <>
          {icon}
          {children}
        </>
      )}
    </DropdownMenu.Item>
  );
}

/** Something to know, not to choose. */
export function MenuNote({ icon, children }: { icon?: ReactNode; children: ReactNode }) {
  return (
    <DropdownMenu.Label className={classes(styles['label'], styles['note'])}>
      {icon}
      {children}
    </DropdownMenu.Label>
  );
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className={styles['separator']} />;
}

interface MenuChoiceProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChange(value: Value): void;
}

export function MenuChoice<Value extends string>({
  label,
  value,
  options,
  onChange,
}: MenuChoiceProps<Value>) {
  return (
    <DropdownMenu.Group>
      <DropdownMenu.Label className={styles['label']}>{label}</DropdownMenu.Label>
      <DropdownMenu.RadioGroup className={styles['choices']} value={value}>
        {options.map((option) => (
          <DropdownMenu.RadioItem
            key={option.value}
            value={option.value}
            className={styles['choice']}
            onSelect={(event) => {
              event.preventDefault();
              onChange(option.value);
            }}
          >
            {option.label}
          </DropdownMenu.RadioItem>
        ))}
      </DropdownMenu.RadioGroup>
    </DropdownMenu.Group>
  );
}
