import { useTranslation } from 'react-i18next';
import { Dialog } from '../ui/dialog.tsx';
import styles from './keys-dialog.module.css';

interface KeysDialogProps {
  /** There is one video only, so there is no next one. */
  isSingle?: boolean;
  open: boolean;
  onOpenChange(open: boolean): void;
}

export function KeysDialog({ isSingle = false, open, onOpenChange }: KeysDialogProps) {
  const { t } = useTranslation('watch');
  const steps = [
    { keys: ['↓', 'J'], text: t('keys.next') },
    { keys: ['↑', 'K'], text: t('keys.previous') },
  ];
  const rows = [
    ...(isSingle ? [] : steps),
    { keys: [t('keys.space')], text: t('keys.playPause') },
    { keys: ['←', '→'], text: t('keys.seek') },
    { keys: ['L'], text: t('keys.like') },
    ...(isSingle ? [] : [{ keys: ['R'], text: t('keys.refresh') }]),
    { keys: ['M'], text: t('keys.mute') },
    { keys: ['F'], text: t('keys.fullscreen') },
    { keys: ['?'], text: t('keys.help') },
  ];
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t('keys.title')}>
      <dl className={styles['list']}>
        {rows.map(({ keys, text }) => (
          <div key={text}>
            <dt>{text}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
