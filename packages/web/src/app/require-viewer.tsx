import type { Account } from '@hvideo/protocol';
import { Link, useLocation } from '@tanstack/react-router';
import { LogIn } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { buttonClass } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { PageSpinner } from '../ui/spinner.tsx';
import { useViewer } from './session.ts';

/** For pages that are nothing without an account. */
export function RequireViewer({ children }: { children: (viewer: Account) => ReactNode }) {
  const { t } = useTexts();
  const viewer = useViewer();
  const path = useLocation({ select: (location) => location.pathname });
  if (viewer) return children(viewer);
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
