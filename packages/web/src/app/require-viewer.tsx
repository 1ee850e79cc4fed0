import type { Account } from '@hvideo/protocol';
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';
import { LogIn } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { buttonClass } from '../ui/button.tsx';
import { ErrorNotice, Notice } from '../ui/notice.tsx';
import { PageSpinner } from '../ui/spinner.tsx';
import { viewerQuery } from './session.ts';

/** For pages that are nothing without an account. */
export function RequireViewer({ children }: { children: (viewer: Account) => ReactNode }) {
  const { t } = useTexts();
  const { data: viewer, error, isFetching, refetch } = useQuery(viewerQuery);
  const path = useLocation({ select: (location) => location.pathname });
  if (viewer) return children(viewer);
  if (viewer === undefined && error) {
    return <ErrorNotice error={error} busy={isFetching} onRetry={() => void refetch()} />;
  }
  if (viewer === undefined) return <PageSpinner />;
  return (
    <Notice
      heading="h1"
      icon={<LogIn size={32} aria-hidden />}
      title={t('account:signInFirst')}
      actions={
        <>
          <Link to="/login" search={{ next: path }} className={buttonClass({ tone: 'accent' })}>
            {t('nav.login')}
          </Link>
          <Link to="/register" search={{ next: path }} className={buttonClass()}>
            {t('nav.register')}
          </Link>
        </>
      }
    />
  );
}
