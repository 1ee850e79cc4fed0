import { CircleAlert, CircleCheck } from 'lucide-react';
import { useEffect } from 'react';
import { classes } from '../lib/classes.ts';
import { createStore } from '../lib/signal.ts';
import { useStore } from '../lib/use-store.ts';
import styles from './toast.module.css';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'info' | 'error';
}

const shownMs = 4500;
const maxShown = 3;
const toasts = createStore<readonly Toast[]>([]);
let lastId = 0;

/** Says something in passing; screen readers hear it too. The same words are not shown twice. */
export function toast(text: string, tone: Toast['tone'] = 'info'): void {
  lastId += 1;
  const others = toasts.get().filter((shown) => shown.text !== text);
  toasts.set([...others, { id: lastId, text, tone }].slice(-maxShown));
}

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((shown) => shown.id !== id));
}

function ToastItem({ item }: { item: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(item.id), shownMs);
    return () => clearTimeout(timer);
  }, [item.id]);
  const Icon = item.tone === 'error' ? CircleAlert : CircleCheck;
  return (
    <li className={classes(styles['toast'], styles[item.tone])}>
      <Icon size={20} aria-hidden />
      <span>{item.text}</span>
    </li>
  );
}

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <div role="status" aria-live="polite" className={styles['region']}>
      <ul className={styles['list']}>
        {shown.map((item) => (
          <ToastItem key={item.id} item={item} />
        ))}
      </ul>
    </div>
  );
}
