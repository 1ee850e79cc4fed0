import { ApiError } from '@hvideo/client';
import { Link } from '@tanstack/react-router';
import { Compass, TriangleAlert, WifiOff } from 'lucide-react';
import { type ReactNode, useEffect } from 'react';
import { useTexts } from '../../i18n/use-texts.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';

interface NotFoundProps {
  title?: string;
  text?: string;
  /** Beside the way home. */
  actions?: ReactNode;
}

export function NotFoundPage({ title, text, actions }: NotFoundProps) {
  const { t } = useTexts();
  const shownTitle = title ?? t('error.notFoundTitle');
  useTitle(shownTitle);
  return (
    <Notice
      heading="h1"
      icon={<Compass size={34} aria-hidden />}
      title={shownTitle}
      text={text ?? t('error.notFoundText')}
      actions={
        <>
          <Link to="/" className={buttonClass({ tone: 'accent' })}>
            {t('error.goHome')}
          </Link>
          {actions}
        </>
      }
    />
  );
}

/** The code of a page did not arrive, as each engine words it. */
export function isLoadFailure(error: unknown): boolean {
  return (
    error instanceof Error &&
    /dynamically imported module|importing a module script|preload css/i.test(error.message)
  );
}

/** A page whose code could not be fetched comes as soon as there is a network again. */
function NotLoaded() {
  const { t } = useTexts();
  useEffect(() => {
    const again = () => location.reload();
    addEventListener('online', again);
    return () => removeEventListener('online', again);
  }, []);
  return (
    <Notice
      heading="h1"
      icon={<WifiOff size={32} aria-hidden />}
      title={t('error.offlineTitle')}
      text={t('error.notLoadedText')}
      actions={
        <Button tone="accent" onClick={() => location.reload()}>
          {t('actions.retry')}
        </Button>
      }
    />
  );
}

/** What an error in a page comes to; the rest of the app goes on. */
export function CrashPage({ error, reset }: { error: unknown; reset: () => void }) {
  const { t } = useTexts();
  useTitle(t('error.title'));
  if (isLoadFailure(error)) return <NotLoaded />;
  if (error instanceof ApiError) return <ErrorNotice error={error} onRetry={reset} />;
  return (
    <Notice
      heading="h1"
      icon={<TriangleAlert size={34} aria-hidden />}
      title={t('error.crashTitle')}
      text={t('error.crashText')}
      actions={
        <Button tone="accent" onClick={() => location.reload()}>
          {t('actions.reload')}
        </Button>
      }
    />
  );
}
