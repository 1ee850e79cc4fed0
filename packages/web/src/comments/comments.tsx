import { api, type Comment, type CommentOrder, type VideoCard } from '@hvideo/protocol';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { MessageCircle } from 'lucide-react';
import { useState } from 'react';
import { client } from '../app/client.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
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
  const [sort, setSort] = useState<CommentOrder>('heat');
  const title = useTitle(card);
  return (
    <section className={styles['comments']} aria-label={t('engagement:comments')} tabIndex={-1} data-comments>
      <header className={styles['header']}>
        <h3>{title}</h3>
        <Sort card={card} value={sort} onChange={setSort} />
      </header>
      <Talk card={card} shownId={shownId} sort={sort} />
    </section>
  );
}

/** Brings the comments into view; where there is a keyboard, one can begin to write. */
export function leadToComments(within: HTMLElement | null): void {
  const comments = within?.querySelector<HTMLElement>('[data-comments]');
  comments?.scrollIntoView({ block: 'start' });
  const hasKeyboard = matchMedia('(pointer: fine)').matches;
  const box = hasKeyboard ? comments?.querySelector('textarea') : undefined;
  (box ?? comments)?.focus({ preventScroll: true });
}

function useTitle({ counts }: VideoCard): string {
  const { t } = useTexts();
  const number = formatCount(counts.comments, useLanguage());
  return t('engagement:commentCount', { count: counts.comments, number });
}

interface SortProps {
  card: VideoCard;
  value: CommentOrder;
  onChange(order: CommentOrder): void;
}

function Sort({ card, value, onChange }: SortProps) {
  const { t } = useTexts();
  if (card.counts.comments < 2) return null;
  return (
    <Segments<CommentOrder>
      label={t('engagement:sort')}
      value={value}
      options={[
        { value: 'heat', label: t('engagement:byHeat') },
        { value: 'time', label: t('engagement:byTime') },
      ]}
      onChange={onChange}
    />
  );
}

function Talk({ card, shownId, sort }: CommentsProps & { sort: CommentOrder }) {
  const { t } = useTexts();
  const [replyTo, setReplyTo] = useState<Comment>();
  const [said, setSaid] = useState<Comment>();
  const query = useInfiniteQuery(commentsQuery(card.id, sort));
  const shown = useShown(shownId, card.id);
  const items = (query.data?.pages.flatMap((page) => page.items) ?? []).filter(({ id }) => id !== shown?.id);
  const all = shown ? [shown, ...items] : items;
  const onReplied = (comment?: Comment) => {
    setReplyTo(undefined);
    if (comment) setSaid(comment);
  };
  return (
    <>
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
                said={said}
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
      <Composer videoId={card.id} replyTo={replyTo} onReplied={onReplied} />
    </>
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
  const [sort, setSort] = useState<CommentOrder>('heat');
  const title = useTitle(card);
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={title}
      aside={<Sort card={card} value={sort} onChange={setSort} />}
    >
      <div className={classes(styles['comments'], styles['sheet'])}>
        <Talk card={card} sort={sort} />
      </div>
    </Dialog>
  );
}
