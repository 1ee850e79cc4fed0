import type { HistoryPlace, VideoDetail } from '@hvideo/protocol';
import { useQuery } from '@tanstack/react-query';
import { useCanGoBack, useLocation, useParams, useRouter } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import { isNotFound } from '../../app/query.ts';
import { leadToComments } from '../../comments/comments.tsx';
import { ActionRail } from '../../engagement/action-rail.tsx';
import { react, useSignedIn } from '../../engagement/react.ts';
import { ResumeChip } from '../../history/resume-chip.tsx';
import { usePlace, useResume } from '../../history/use-resume.ts';
import { useViewing } from '../../history/use-viewing.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { useTitle } from '../../lib/use-title.ts';
import { KeysDialog } from '../../player/keys-dialog.tsx';
import { Slide } from '../../player/slide.tsx';
import { usePlayerKeys } from '../../player/use-keys.ts';
import { usePool } from '../../player/use-pool.ts';
import { IconButton } from '../../ui/button.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { PageSpinner } from '../../ui/spinner.tsx';
import { Panel } from '../../watch/panel.tsx';
import { videoQuery } from '../../watch/queries.ts';
import { NotFoundPage } from '../not-found/not-found-page.tsx';
import styles from './video-page.module.css';

export function VideoPage() {
  const { t } = useTexts();
  const { id } = useParams({ from: '/v/$id' });
  const query = useQuery(videoQuery(id));
  const place = usePlace(id);
  useTitle(query.data?.video.title);
  if (isNotFound(query.error)) {
    return <NotFoundPage title={t('watch:video.notFound')} text={t('watch:video.notFoundText')} />;
  }
  if (query.data) return <Watch key={id} detail={query.data} place={place} />;
  if (query.isError) {
    return <ErrorNotice error={query.error} busy={query.isFetching} onRetry={() => void query.refetch()} />;
  }
  return <PageSpinner />;
}

function Watch({ detail, place }: { detail: VideoDetail; place: HistoryPlace | undefined }) {
  const { t } = useTexts();
  const { video, relation } = detail;
  const cards = useMemo(() => [video], [video]);
  const playerOf = usePool(cards, 0);
  useViewing(video, playerOf(0));
  const resumed = useResume(video, playerOf(0), place);
  // Read from the text: the router takes it for a number, which is not exact enough for an id.
  const comment = useLocation({
    select: ({ searchStr }) => /[?&]comment=(?:%22)?(\d+)/.exec(searchStr)?.[1],
  });
  const signedIn = useSignedIn();
  const details = useRef<HTMLDivElement>(null);
  const openComments = () => leadToComments(details.current);
  const like = () => signedIn(() => react(video, 'likes', !video.viewer.liked));
  const [isHelpOpen, setHelpOpen] = useState(false);
  const targets = useRef({ player: playerOf(0), like, showHelp: () => setHelpOpen(true) });
  useLayoutEffect(() => {
    targets.current = { player: playerOf(0), like, showHelp: () => setHelpOpen(true) };
  });
  usePlayerKeys(targets);
  return (
    <div className={styles['page']}>
      <section className={styles['player']} aria-label={t('watch:player.label')}>
        <Slide
          card={video}
          player={playerOf(0)}
          isCurrent
          actions={<ActionRail card={video} onComments={openComments} />}
          onLike={() => signedIn(() => react(video, 'likes', true))}
        />
        <BackButton />
        <ResumeChip resumed={resumed} />
      </section>
      <div ref={details} className={styles['details']}>
        <Panel card={video} relation={relation} isPage shownId={comment} />
      </div>
      <KeysDialog isSingle open={isHelpOpen} onOpenChange={setHelpOpen} />
    </div>
  );
}

/** On a phone the picture fills the top of the screen, and the way back lies on it. */
function BackButton() {
  const { t } = useTexts();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  return (
    <IconButton
      tone="over"
      label={t('actions.back')}
      className={styles['back'] ?? ''}
      onClick={() => (canGoBack ? router.history.back() : void router.navigate({ to: '/' }))}
    >
      <ArrowLeft size={21} aria-hidden />
    </IconButton>
  );
}
