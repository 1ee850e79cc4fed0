import { api, COMMENT_MAX, type Comment } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { SendHorizontal, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { useViewer } from '../app/session.ts';
import { countComments, useSignedIn } from '../engagement/react.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { toast } from '../ui/toast.tsx';
import styles from './comments.module.css';
import { insertComment } from './queries.ts';

/** Few characters are left: then they are counted. */
const nearTheEnd = 100;

interface ComposerProps {
  videoId: string;
  replyTo: Comment | undefined;
  /** The answer is said, or given up. */
  onReplied(comment?: Comment): void;
}

export function Composer({ videoId, replyTo, onReplied }: ComposerProps) {
  const { t } = useTexts();
  const viewer = useViewer();
  const signedIn = useSignedIn();
  const [text, setText] = useState('');
  const box = useRef<HTMLTextAreaElement>(null);
  // The same key until it has been sent: a repetition by hand says nothing twice.
  const key = useRef(crypto.randomUUID());
  useEffect(() => {
    key.current = crypto.randomUUID();
    if (replyTo) box.current?.focus();
  }, [replyTo]);
  const send = useMutation({
    mutationFn: (body: { text: string; replyTo?: string }) =>
      client.call(api.comments.create, { params: { id: videoId }, body }, { idempotencyKey: key.current }),
    onSuccess: (comment) => {
      insertComment(comment);
      countComments(videoId, 1);
      setText('');
      onReplied(comment);
      key.current = crypto.randomUUID();
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  const words = text.trim();
  // The state of the mutation comes with the next render; a second press of a double click comes before.
  const isSending = useRef(false);
  const submit = () => {
    if (words === '' || isSending.current) return;
    signedIn(() => {
      isSending.current = true;
      const body = { text: words, ...(replyTo && { replyTo: replyTo.id }) };
      send.mutate(body, {
        onSettled: () => {
          isSending.current = false;
        },
      });
    });
  };
  const left = COMMENT_MAX - words.length;
  if (viewer === null) {
    return (
      <div className={styles['composer']}>
        <Button block onClick={() => signedIn(() => undefined)}>
          {t('engagement:signIn')}
        </Button>
      </div>
    );
  }
  return (
    <form
      className={styles['composer']}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {replyTo && (
        <p className={styles['replying']}>
          {t('engagement:replyingTo', { name: replyTo.author.displayName })}
          <IconButton label={t('actions.cancel')} size="sm" onClick={() => onReplied()}>
            <X size={16} aria-hidden />
          </IconButton>
        </p>
      )}
      <div className={styles['write']}>
        {viewer && <Avatar user={viewer} size={34} />}
        <textarea
          ref={box}
          rows={1}
          value={text}
          readOnly={send.isPending}
          maxLength={COMMENT_MAX}
          aria-label={t('engagement:write')}
          placeholder={t('engagement:write')}
          onChange={(event) => {
            setText(event.target.value);
            key.current = crypto.randomUUID();
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
          }}
        />
        <IconButton
          type="submit"
          label={t('engagement:send')}
          tone="plain"
          size="sm"
          className={styles['send'] ?? ''}
          disabled={words === '' || send.isPending}
        >
          <SendHorizontal size={20} aria-hidden />
        </IconButton>
      </div>
      {left <= nearTheEnd && <p className={styles['left']}>{t('engagement:left', { count: left })}</p>}
    </form>
  );
}
