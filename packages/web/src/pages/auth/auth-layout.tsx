import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useInstance } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useIsDesktop } from '../../lib/use-media.ts';
import { Mark } from '../../ui/logo.tsx';
import { feedQuery, joinPages } from '../../watch/queries.ts';
import styles from './auth-layout.module.css';

interface AuthLayoutProps {
  title: string;
  text: string;
  children: ReactNode;
}

/** The way in: a form, and on wide screens a look at what goes on inside. */
export function AuthLayout({ title, text, children }: AuthLayoutProps) {
  const { t } = useTexts();
  const isDesktop = useIsDesktop();
  return (
    <div className={styles['layout']}>
      <div className={styles['form']}>
        <Link to="/" className={styles['logo']} aria-label={t('appName')}>
          <Mark size={44} />
        </Link>
        <h1 className={styles['title']}>{title}</h1>
        <p className={styles['text']}>{text}</p>
        {children}
      </div>
      {isDesktop && <Wall />}
    </div>
  );
}

const columns = 3;
const perColumn = 4;

/** Covers of the newest videos, drifting by; until there are any, the colours alone. */
function Wall() {
  const { t } = useTexts();
  const instance = useInstance();
  const query = useInfiniteQuery(feedQuery('latest'));
  const [broken, setBroken] = useState<ReadonlySet<string>>(new Set());
  const covers = joinPages(query.data?.pages ?? []).flatMap(({ coverUrl }) =>
    coverUrl === null || broken.has(coverUrl) ? [] : [coverUrl],
  );
  return (
    <aside className={styles['wall']} aria-label={instance?.name ?? t('appName')}>
      {covers.length > 0 && (
        <div className={styles['columns']} aria-hidden>
          {Array.from({ length: columns }, (_, column) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a column is nothing but its place
            <div key={column} className={styles['column']}>
              {Array.from({ length: perColumn }, (_, row) => {
                const url = covers[(column * 3 + row) % covers.length] ?? '';
                return (
                  <img
                    // biome-ignore lint/suspicious/noArrayIndexKey: few covers are shown more than once
                    key={row}
                    src={url}
                    alt=""
                    onError={() => setBroken((last) => new Set(last).add(url))}
                  />
                );
              })}
            </div>
          ))}
        </div>
      )}
      <div className={styles['motto']}>
        <p>{t('account:motto')}</p>
        {covers.length > 0 && (
          <small>{t('account:mottoText', { name: instance?.name ?? t('appName') })}</small>
        )}
      </div>
    </aside>
  );
}
