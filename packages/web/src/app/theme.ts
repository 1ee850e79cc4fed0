import { createStore } from '../lib/signal.ts';
import { storage } from './storage.ts';

export type Theme = 'system' | 'light' | 'dark';

const key = 'hvideo.theme';
const stored = storage.getItem(key);

export const theme = createStore<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');

export function setTheme(next: Theme): void {
  theme.set(next);
  if (next === 'system') {
    storage.removeItem(key);
    delete document.documentElement.dataset['theme'];
  } else {
    storage.setItem(key, next);
    document.documentElement.dataset['theme'] = next;
  }
}
