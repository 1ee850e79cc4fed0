import { ApiError } from '@hvideo/client';
import { Link } from '@tanstack/react-router';
import { Compass, TriangleAlert } from 'lucide-react';
import { useTexts } from '../../i18n/use-texts.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';

interface NotFoundProps {
  title?: string;
  text?: string;
}

export function NotFoundPage({ title, text }: NotFoundProps) {
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
        <Link to="/" className={buttonClass({ tone: 'accent' })}>
          {t('error.goHome')}
        </Link>
      }
    />
  );
}

/** What an error in a page comes to; the rest of the app goes on. */
export function CrashPage({ error, reset }: { error: unknown; reset: () => void }) {
  const { t } = useTexts();
  useTitle(t('error.title'));
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
