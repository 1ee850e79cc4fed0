import { Link } from '@tanstack/react-router';
import { tapFeed } from '../../app/feed-tap.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { MoreMenu } from '../../shell/rail.tsx';
import { Mark } from '../../ui/logo.tsx';
import styles from './feed-page.module.css';

/** The top edge of phones: over the picture, so the same in both themes. */
export function FeedTabs() {
  const { t } = useTexts();
  const look = { className: styles['tab'], activeProps: { className: styles['tabActive'] } };
  return (
    <div className={styles['top']}>
      <Mark size={28} />
      <nav className={styles['tabs']} aria-label={t('watch:feed.label')}>
        <Link to="/following" search={{}} onClick={() => tapFeed('/following')} {...look}>
          {t('watch:feed.following')}
        </Link>
        <Link to="/" activeOptions={{ exact: true }} onClick={() => tapFeed('/')} {...look}>
          {t('watch:feed.home')}
        </Link>
      </nav>
      <MoreMenu over />
    </div>
  );
}
