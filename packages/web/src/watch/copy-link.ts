import { i18n } from '../i18n/index.ts';
import { toast } from '../ui/toast.tsx';

export const copyVideoLink = (id: string) => copyText(`${location.origin}/v/${id}`);

/** Puts a link on the clipboard and says so. */
export async function copyText(url: string): Promise<void> {
  try {
    await copy(url);
    toast(i18n.t('status.copied'));
  } catch {
    toast(i18n.t('status.copyFailed'), 'error');
  }
}

/** `navigator.clipboard` exists only on secure origins; a home server on plain http is not one. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('The browser refused to copy');
}
