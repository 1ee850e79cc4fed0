import { type ChatConversation, ChatError } from '@hvideo/client';
import { MESSAGE_TEXT_MAX } from '@hvideo/protocol';
import { Reply as ReplyIcon, SendHorizontal, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { IconButton } from '../ui/button.tsx';
import { toast } from '../ui/toast.tsx';
import styles from './composer.module.css';
import { drafts, saveDraft } from './drafts.ts';
import { failureText } from './failure.ts';
import { type KnownPeople, previewOf } from './names.ts';
import { cleanText } from './text-parts.ts';
import type { Reply } from './use-reply.ts';

/** Few characters are left: then they are counted. */
const nearTheEnd = 200;

interface ComposerProps {
  conversation: ChatConversation;
  /** Whom one writes to; undefined while that is not known yet. */
  name: string | undefined;
  people: KnownPeople;
  reply: Reply;
  isReady: boolean;
  onSent(): void;
}

export function Composer({ conversation, name, people, reply, isReady, onSent }: ComposerProps) {
  const { t } = useTexts();
  const { id } = conversation;
  const [text, setText] = useState(() => drafts.get().get(id)?.text ?? '');
  const box = useRef<HTMLTextAreaElement>(null);
  useGrowth(box, text);
  useEntry(box, reply.message);
  const words = cleanText(text);
  const left = MESSAGE_TEXT_MAX - [...words].length;
  const canSend = words !== '' && left >= 0 && isReady;
  const write = (next: string) => {
    setText(next);
    saveDraft(id, { text: next, ...(reply.message?.seq && { quoteSeq: reply.message.seq }) });
  };
  const send = () => {
    if (!canSend) return;
    try {
      conversation.send({ type: 'text', text: words }, reply.message ? { quote: reply.message } : {});
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      toast(failureText({ code: error.code, detail: null }), 'error');
      return;
    }
    setText('');
    reply.set(undefined);
    saveDraft(id, { text: '' });
    onSent();
    box.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && reply.message) reply.set(undefined);
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className={styles['composer']}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {reply.message && <Replying reply={reply} people={people} />}
      <div className={styles['write']}>
        <textarea
          ref={box}
          rows={1}
          dir="auto"
          value={text}
          enterKeyHint="send"
          aria-label={name === undefined ? t('chat:write') : t('chat:writeTo', { name })}
          placeholder={t('chat:write')}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <button
          type="submit"
          className={styles['send']}
          aria-label={t('chat:send')}
          title={t('chat:send')}
          disabled={!canSend}
          // The keyboard of a phone stays.
          onPointerDown={(event) => event.preventDefault()}
        >
          <SendHorizontal size={20} aria-hidden />
        </button>
      </div>
      <p className={classes(styles['left'], left < 0 && styles['over'])} role="status">
        {left < 0
          ? t('chat:tooLong', { count: -left })
          : left <= nearTheEnd && t('chat:left', { count: left })}
      </p>
    </form>
  );
}

/** Enter chooses what an input method offers; Safari says so only by the old code. */
const isComposing = ({ nativeEvent }: KeyboardEvent) =>
  nativeEvent.isComposing || nativeEvent.keyCode === 229;

function Replying({ reply: { message, set }, people }: { reply: Reply; people: KnownPeople }) {
  const { t } = useTexts();
  if (message === undefined || message.content.type === 'system') return null;
  const name = people.get(message.senderId)?.displayName ?? t('chat:system.someone');
  return (
    <div className={styles['replying']}>
      <ReplyIcon size={18} aria-hidden />
      <p>
        <b>{message.isOwn ? t('chat:replyingToSelf') : t('chat:replyingTo', { name })}</b>
        <span dir="auto">{previewOf(message.content)}</span>
      </p>
      <IconButton label={t('chat:stopReply')} size="sm" onClick={() => set(undefined)}>
        <X size={17} aria-hidden />
      </IconButton>
    </div>
  );
}

/** As high as its lines, in browsers that do not do it by themselves. */
function useGrowth(box: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const area = box.current;
    // The text decides how high it is.
    if (!area || text === undefined || CSS.supports('field-sizing', 'content')) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  }, [box, text]);
}

/** Where there is a keyboard one can write at once; to answer, one wants to write on a phone too. */
function useEntry(box: React.RefObject<HTMLTextAreaElement | null>, answered: object | undefined): void {
  useEffect(() => {
    if (!matchMedia('(pointer: fine)').matches) return;
    // After the page that was opened has got the focus.
    const frame = requestAnimationFrame(() => box.current?.focus({ preventScroll: true }));
    return () => cancelAnimationFrame(frame);
  }, [box]);
  useEffect(() => {
    if (!answered) return;
    // After the menu that it was chosen from has closed.
    const frame = requestAnimationFrame(() => box.current?.focus({ preventScroll: true }));
    return () => cancelAnimationFrame(frame);
  }, [box, answered]);
}
