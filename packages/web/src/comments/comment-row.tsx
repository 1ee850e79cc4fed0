import { api, type Comment } from '@hvideo/protocol';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Ellipsis, Heart, Pin, PinOff, Trash2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { queryClient } from '../app/query.ts';
import { countComments, useSignedIn } from '../engagement/react.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { formatAgo, formatCount } from '../lib/format.ts';
import { useLanguage } from '../lib/use-language.ts';
import { useNow } from '../lib/use-now.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { ConfirmDialog } from '../ui/dialog.tsx';
import { Menu, MenuItem } from '../ui/menu.tsx';
import { toast } from '../ui/toast.tsx';
import { CommentText } from './comment-text.tsx';
import styles from './comments.module.css';
import { likeComment } from './like-comment.ts';
import { eachOnce, removeComment, repliesQuery } from './queries.ts';

interface RowProps {
  comment: Comment;
  onReply(comment: Comment): void;
}

interface ThreadProps extends RowProps {
  isOpenAtFirst: boolean;
  /** What the viewer has just said, here or elsewhere; the thread opens for an answer in it. */
  said: Comment | undefined;
}

/** A comment with its thread. */
export function Thread({ comment, isOpenAtFirst, said, onReply }: ThreadProps) {
  const { t } = useTexts();
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  useEffect(() => {
    if (said?.rootId === comment.id) setOpen(true);
  }, [said, comment.id]);
  const query = useInfiniteQuery({ ...repliesQuery(comment.id), enabled: isOpen && comment.replies > 0 });
  const replies = eachOnce(query.data?.pages.flatMap((page) => page.items) ?? []);
  return (
    <li className={styles['thread']}>
      <Row comment={comment} isNew={comment.id === said?.id} onReply={onReply} />
      {comment.replies > 0 && (
        <div className={styles['replies']}>
          {isOpen && (
            <ul>
              {replies.map((reply) => (
                <li key={reply.id}>
                  <Row comment={reply} isNew={reply.id === said?.id} onReply={onReply} />
                </li>
              ))}
            </ul>
          )}
          {!isOpen ? (
            <button type="button" className={styles['more']} onClick={() => setOpen(true)}>
              {t('engagement:showReplies', { count: comment.replies })}
            </button>
          ) : query.hasNextPage ? (
            <button
              type="button"
              className={styles['more']}
              disabled={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              {t('engagement:moreReplies')}
            </button>
          ) : (
            query.isSuccess && (
              <button type="button" className={styles['more']} onClick={() => setOpen(false)}>
                {t('engagement:hideReplies')}
              </button>
            )
          )}
          {query.isError && (
            <Button size="sm" onClick={() => void query.refetch()}>
              {t('actions.retry')}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

function Row({ comment, isNew, onReply }: RowProps & { isNew: boolean }) {
  const { t } = useTexts();
  const language = useLanguage();
  const nowMs = useNow();
  const signedIn = useSignedIn();
  const { author, viewer } = comment;
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    if (isNew) row.current?.scrollIntoView({ block: 'nearest' });
  }, [isNew]);
  return (
    <article
      ref={row}
      className={styles['comment']}
      aria-label={t('engagement:commentBy', { name: author.displayName })}
    >
      <Link to="/$handle" params={{ handle: `@${author.username}` }} tabIndex={-1} aria-hidden>
        <Avatar user={author} size={comment.rootId === null ? 38 : 30} />
      </Link>
      <div className={styles['said']}>
        <p className={styles['who']}>
          <Link to="/$handle" params={{ handle: `@${author.username}` }}>
            {author.displayName}
          </Link>
          {comment.byCreator && <span className={styles['creator']}>{t('engagement:creator')}</span>}
          {comment.pinned && (
            <span className={styles['pinned']}>
              <Pin size={12} aria-hidden />
              {t('engagement:pinned')}
            </span>
          )}
        </p>
        <p className={styles['text']}>
          {comment.replyTo && (
            <>
              <Link to="/$handle" params={{ handle: `@${comment.replyTo.username}` }}>
                @{comment.replyTo.displayName}
              </Link>{' '}
            </>
          )}
          <CommentText text={comment.text} />
        </p>
        <p className={styles['foot']}>
          <time dateTime={comment.createdAt}>{formatAgo(comment.createdAt, language, nowMs)}</time>
          <button type="button" onClick={() => signedIn(() => onReply(comment))}>
            {t('engagement:reply')}
          </button>
          {(viewer.mayDelete || viewer.mayPin) && <Options comment={comment} />}
        </p>
      </div>
      <button
        type="button"
        className={classes(styles['heart'], viewer.liked && styles['liked'])}
        aria-pressed={viewer.liked}
        aria-label={`${t('engagement:like')}: ${formatCount(comment.likes, language)}`}
        onClick={() => signedIn(() => likeComment(comment, !viewer.liked))}
      >
        <Heart size={17} {...(viewer.liked && { fill: 'currentColor' })} aria-hidden />
        {comment.likes > 0 && <span aria-hidden>{formatCount(comment.likes, language)}</span>}
      </button>
    </article>
  );
}

function Options({ comment }: { comment: Comment }) {
  const { t } = useTexts();
  const [isAsking, setAsking] = useState(false);
  const params = { id: comment.id };
  const remove = useMutation({
    mutationFn: () => client.call(api.comments.delete, { params }),
    onSuccess: () => {
      removeComment(comment);
      countComments(comment.videoId, -1 - comment.replies);
      setAsking(false);
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  const pin = useMutation({
    mutationFn: () => client.call(comment.pinned ? api.comments.unpin : api.comments.pin, { params }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['comment'] });
      return queryClient.invalidateQueries({ queryKey: ['comments', comment.videoId] });
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <>
      <Menu
        trigger={
          <IconButton label={t('engagement:options')} size="sm">
            <Ellipsis size={17} aria-hidden />
          </IconButton>
        }
      >
        {comment.viewer.mayPin && comment.rootId === null && (
          <MenuItem
            icon={comment.pinned ? <PinOff size={17} aria-hidden /> : <Pin size={17} aria-hidden />}
            onSelect={() => pin.mutate()}
          >
            {t(comment.pinned ? 'engagement:unpin' : 'engagement:pin')}
          </MenuItem>
        )}
        {comment.viewer.mayDelete && (
          <MenuItem icon={<Trash2 size={17} aria-hidden />} onSelect={() => setAsking(true)}>
            {t('actions.delete')}
          </MenuItem>
        )}
      </Menu>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={t('engagement:deleteTitle')}
        description={comment.replies > 0 ? t('engagement:deleteThread') : t('engagement:deleteText')}
        confirmLabel={t('actions.delete')}
        danger
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
    </>
  );
}
