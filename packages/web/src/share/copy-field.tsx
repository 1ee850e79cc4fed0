import { Check, Copy } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { Button } from '../ui/button.tsx';
import { toast } from '../ui/toast.tsx';
import styles from './copy-field.module.css';

const confirmMs = 2_500;

interface CopyFieldProps {
  label: string;
  value: string;
  onCopied(): void;
  /** Long text, on lines of its own. */
  long?: boolean;
}

/** A text to take along. It can also be selected by hand, should the browser refuse. */
export function CopyField({ label, value, onCopied, long = false }: CopyFieldProps) {
  const { t } = useTexts();
  const id = useId();
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), confirmMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const onCopy = async () => {
    try {
      await copyFrom(field.current, value);
      setCopied(true);
      onCopied();
    } catch {
      toast(t('status.copyFailed'), 'error');
    }
  };
  const shared = {
    ...{ id, ref: field, value, readOnly: true, spellCheck: false },
    onFocus: () => field.current?.select(),
  };
  return (
    <div className={classes(styles['field'], long && styles['long'])}>
      <label htmlFor={id} className="visually-hidden">
        {label}
      </label>
      {long ? <textarea rows={4} {...shared} /> : <input type="text" {...shared} />}
      <Button
        size="sm"
        tone={isCopied ? 'soft' : 'solid'}
        icon={isCopied ? <Check size={17} aria-hidden /> : <Copy size={16} aria-hidden />}
        onClick={() => void onCopy()}
      >
        <span aria-live="polite">{isCopied ? t('share:copied') : t('share:copy')}</span>
      </Button>
    </div>
  );
}

/** `navigator.clipboard` exists only on secure origins; a home server on plain http is not one. */
async function copyFrom(field: HTMLInputElement | HTMLTextAreaElement | null, value: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(value);
  // In place: a dialog keeps the focus, and would take it back from anything outside of it.
  field?.select();
  if (!document.execCommand('copy')) throw new Error('The browser refused to copy');
}
