import { api, type HistoryEntry, type Page } from '@hvideo/protocol';
import { type InfiniteData, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Film, X } from 'lucide-react';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { forgetPlaces, historyQuery } from '../../history/queries.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatDuration, formatTime } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { IconButton } from '../../ui/button.tsx';
import { CoverImage } from '../../ui/cover-image.tsx';
import { toast } from '../../ui/toast.tsx';
import styles from './history-page.module.css';

/** A video that was watched, with how much of it, and the way to forget it. */
export function HistoryRow({ entry }: { entry: HistoryEntry }) {
  const { t } = useTexts();
  const language = useLanguage();
  const { video, positionMs, completed } = entry;
  const durationMs = video.durationMs ?? 0;
  const share = completed ? 1 : Math.min(1, positionMs / Math.max(1, durationMs));
  return (
    <li className={styles['row']}>
      <Link to="/v/$id" params={{ id: video.id }} className={styles['link']}>
        <span className={styles['cover']}>
          <CoverImage url={video.coverUrl} fallback={<Film size={24} aria-hidden />} />
          <span className={styles['duration']}>{formatDuration(durationMs)}</span>
          <span className={styles['bar']} aria-hidden>
            <i style={{ '--share': share } as React.CSSProperties} />
          </span>
        </span>
        <span className={styles['words']}>
          <strong>{video.title}</strong>
          <small>{video.author.displayName}</small>
          <small>
            {completed
              ? t('lists:history.completed')
              : t('lists:history.watchedOf', {
                  position: formatDuration(positionMs),
                  total: formatDuration(durationMs),
                })}
            <span className={styles['time']}>{formatTime(entry.watchedAt, language)}</span>
          </small>
        </span>
      </Link>
      <Remove entry={entry} />
    </li>
  );
}

function Remove({ entry }: { entry: HistoryEntry }) {
  const { t } = useTexts();
  const queries = useQueryClient();
  const { id, title } = entry.video;
  const remove = useMutation({
    mutationFn: () => client.call(api.history.remove, { params: { id } }),
    onSuccess: () => {
      forgetPlaces(id);
      queries.setQueryData(historyQuery.queryKey, (list) => list && without(list, id));
      toast(t('lists:history.removed'));
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <IconButton
      label={t('lists:history.remove', { title })}
      disabled={remove.isPending}
      onClick={() => remove.mutate()}
    >
      <X size={19} aria-hidden />
    </IconButton>
  );
}

const without = <Cursor,>(list: InfiniteData<Page<HistoryEntry>, Cursor>, id: string) => ({
  ...list,
  pages: list.pages.map((page) => ({ ...page, items: page.items.filter(({ video }) => video.id !== id) })),
});
