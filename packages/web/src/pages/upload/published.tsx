import { api, type OwnVideo } from '@hvideo/protocol';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatMoment } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { buttonClass } from '../../ui/button.tsx';
import { Card, formStyles } from '../../ui/form.tsx';
import { toast } from '../../ui/toast.tsx';
import { CoverSuggestions } from '../../videos/cover-suggestions.tsx';
import { TranscodeLine } from '../../videos/transcode-line.tsx';
import { useTranscode } from '../../videos/use-transcode.ts';
import { videoQuery } from '../../watch/queries.ts';

/** A video in the making: how far it is, and its cover, out of the stills that the server took. */
export function Published({ video }: { video: OwnVideo }) {
  const { t } = useTexts();
  const language = useLanguage();
  const { id, title, publishAt } = video;
  const { progress, error } = useTranscode(id);
  const status = progress?.status ?? video.status;
  const canWatch = status === 'playable' || status === 'ready';
  return (
    <Card title={title}>
      <TranscodeLine title={title} progress={progress} error={error} />
      {publishAt !== null && (
        <p className={formStyles['muted']}>
          {t('upload:scheduledFor', { time: formatMoment(publishAt, language) })}
        </p>
      )}
      {canWatch && <Covers id={id} isFinal={status === 'ready'} />}
      <div className={formStyles['row']}>
        {canWatch && (
          <Link to="/v/$id" params={{ id }} className={buttonClass({ tone: 'accent' })}>
            {t('upload:watch')}
          </Link>
        )}
        <Link to="/studio" className={buttonClass({ tone: canWatch ? 'soft' : 'plain' })}>
          {t(status === 'failed' ? 'upload:seeFailure' : 'nav.studio')}
        </Link>
      </div>
    </Card>
  );
}

function Covers({ id, isFinal }: { id: string; isFinal: boolean }) {
  // Read again once all is made: links are signed, and the last pictures may have come since.
  const { data } = useQuery({ ...videoQuery(id), queryKey: ['video', id, isFinal ? 'final' : 'early'] });
  const pick = useMutation({
    mutationFn: (coverTimeMs: number) =>
      client.call(api.videos.update, { params: { id }, body: { coverTimeMs } }),
    onSuccess: () => {
      for (const name of ['studio', 'videos', 'video']) {
        void queryClient.invalidateQueries({ queryKey: [name] });
      }
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  const suggestions = data?.own?.coverSuggestions ?? [];
  if (suggestions.length === 0) return null;
  return <CoverSuggestions suggestions={suggestions} timeMs={pick.variables} onPick={pick.mutate} />;
}
