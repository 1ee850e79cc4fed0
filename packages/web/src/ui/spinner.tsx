import { useTexts } from '../i18n/use-texts.ts';
import styles from './spinner.module.css';

export function Spinner({ size = 28 }: { size?: number }) {
  const { t } = useTexts();
  return (
    <span
      className={styles['spinner']}
      style={{ width: size, height: size }}
      role="status"
      aria-label={t('status.loading')}
    />
  );
}

/** In the middle of an otherwise empty page. It shows only when loading takes long enough to be noticed. */
export function PageSpinner() {
  return (
    <div className={styles['page']}>
      <Spinner size={36} />
    </div>
  );
}
