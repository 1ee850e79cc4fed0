import { ChevronDown } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import styles from './timeline.module.css';

interface NewestButtonProps {
  isShown: boolean;
  /** Messages that have not been read. */
  count: number;
  onClick(): void;
}

/** Leads to the newest message while one reads further up. */
export function NewestButton({ isShown, count, onClick }: NewestButtonProps) {
  const { t } = useTexts();
  if (!isShown) return null;
  const label = t('chat:newest');
  const news = t('chat:newCount', { count });
  return (
    <button
      type="button"
      className={styles['newest']}
      aria-label={count > 0 ? `${news}. ${label}` : label}
      title={label}
      onClick={onClick}
    >
      {count > 0 && <span>{news}</span>}
      <ChevronDown size={20} aria-hidden />
    </button>
  );
}
