import { ChevronDown, ChevronUp, Keyboard, RefreshCw } from 'lucide-react';
import { useTexts } from '../../i18n/use-texts.ts';
import { IconButton } from '../../ui/button.tsx';
import styles from './feed-page.module.css';

interface StepsProps {
  step(by: 1 | -1): void;
  isFirst: boolean;
  isLast: boolean;
  isRefreshing: boolean;
  onRefresh(): void;
  onHelp(): void;
}

/** Beside the picture on wide screens: what a finger does on a phone. */
export function Steps({ step, isFirst, isLast, isRefreshing, onRefresh, onHelp }: StepsProps) {
  const { t } = useTexts();
  return (
    <div className={styles['steps']}>
      <IconButton label={t('watch:feed.previous')} tone="soft" disabled={isFirst} onClick={() => step(-1)}>
        <ChevronUp aria-hidden />
      </IconButton>
      <IconButton label={t('watch:feed.next')} tone="soft" disabled={isLast} onClick={() => step(1)}>
        <ChevronDown aria-hidden />
      </IconButton>
      <IconButton label={t('feed:refresh')} aria-busy={isRefreshing} onClick={onRefresh}>
        <RefreshCw size={19} className={isRefreshing ? styles['turning'] : undefined} aria-hidden />
      </IconButton>
      <IconButton label={t('watch:player.help')} onClick={onHelp}>
        <Keyboard size={20} aria-hidden />
      </IconButton>
    </div>
  );
}
