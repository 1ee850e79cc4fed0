import { api, type Comment, type CommentOrder, type VideoCard } from '@hvideo/protocol';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { MessageCircle } from 'lucide-react';
import { useState } from 'react';
import { client } from '../app/client.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { formatCount } from '../lib/format.ts';
import { useLanguage } from '../lib/use-language.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNotice, Notice } from '../ui/notice.tsx';
import { Segments } from '../ui/segments.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { Thread } from './comment-row.tsx';
import styles from './comments.module.css';
import { Composer } from './composer.tsx';
import { commentsQuery } from './queries.ts';

interface CommentsProps {
  card: VideoCard;
  /** A comment that somebody was led to: its thread stands first, and is open. */
  shownId?: string | undefined;
}

/** What people say about a video, and the place to say something. */
export function Comments({ card, shownId }: CommentsProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const [sort, setSort] = useState<CommentOrder>('heat');
  const [replyTo, setReplyTo] = useState<Comment>();
  const query = useInfiniteQuery(commentsQuery(card.id, sort));
  const shown = useShown(shownId, card.id);
  const items = (query.data?.pages.flatMap((page) => page.items) ?? []).filter(({ id }) => id !== shown?.id);
  const all = shown ? [shown, ...items] : items;
  return (
    <section className={styles['comments']} aria-label={t('engagement:comments')}>
      <header className={styles['header']}>
        <h3>{t('engagement:commentCount', { number: formatCount(card.counts.comments, language) })}</h3>
        {card.counts.comments > 1 && (
          <Segments<CommentOrder>
            label={t('engagement:sort')}
            value={sort}
            options={[
              { value: 'heat', label: t('engagement:byHeat') },
              { value: 'time', label: t('engagement:byTime') },
            ]}
            onChange={setSort}
          />
        )}
      </header>
      <div className={styles['list']}>
        {query.isError && !query.data ? (
          <ErrorNotice compact error={query.error} onRetry={() => void query.refetch()} />
        ) : query.isPending ? (
          <div className={styles['waiting']}>
            <Skeleton height="3.5rem" />
            <Skeleton height="3.5rem" />
            <Skeleton height="3.5rem" />
          </div>
        ) : all.length === 0 ? (
          <Notice
            compact
            icon={<MessageCircle size={26} aria-hidden />}
            title={t('engagement:noComments')}
            text={t('engagement:noCommentsText')}
          />
        ) : (
          <ul className={styles['threads']}>
            {all.map((comment) => (
              <Thread
                key={comment.id}
                comment={comment}
                isOpenAtFirst={comment.id === shown?.id}
                onReply={setReplyTo}
              />
            ))}
          </ul>
        )}
        {query.hasNextPage && (
          <Button block size="sm" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t('actions.loadMore')}
          </Button>
        )}
      </div>
      <Composer videoId={card.id} replyTo={replyTo} onReplied={() => setReplyTo(undefined)} />
    </section>
  );
}

/** The thread that holds this comment. */
function useShown(id: string | undefined, videoId: string): Comment | undefined {
  const read = async (wanted: string, signal: AbortSignal) => {
    const found = await client.call(api.comments.get, { params: { id: wanted } }, { signal });
    return found.rootId === null
      ? found
      : client.call(api.comments.get, { params: { id: found.rootId } }, { signal });
  };
  const { data } = useQuery({
    queryKey: ['comment', id],
    queryFn: ({ signal }) => read(id ?? '', signal),
    enabled: id !== undefined,
  });
  return data?.videoId === videoId ? data : undefined;
}

interface SheetProps extends CommentsProps {
  open: boolean;
  onOpenChange(open: boolean): void;
}

/** On a phone the comments come up over the lower part of the picture. */
export function CommentsSheet({ card, open, onOpenChange }: SheetProps) {
  const { t } = useTexts();
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t('engagement:comments')} wide>
      <div className={styles['sheet']}>
        <Comments card={card} />
      </div>
    </Dialog>
  );
}
