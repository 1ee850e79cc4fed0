import type { ViewMessage } from '@hvideo/client';
import type { User } from '@hvideo/protocol';
import { Ellipsis, Reply } from 'lucide-react';
import { memo } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { formatTime } from '../lib/format.ts';
import { avatarHue } from '../lib/initials.ts';
import { useLanguage } from '../lib/use-language.ts';
import { Avatar } from '../ui/avatar.tsx';
import { FailedLine } from './failed-line.tsx';
import { MessageBody } from './message-body.tsx';
import styles from './message-row.module.css';
import { previewOf, type SaidContent } from './names.ts';
import { ProgressSign } from './progress-sign.tsx';
import { QuoteBlock } from './quote-block.tsx';
import { isEmojiOnly } from './text-parts.ts';
import { useTimeline } from './timeline-context.ts';

interface MessageRowProps {
  message: ViewMessage;
  content: SaidContent;
  isFirst: boolean;
  isLast: boolean;
  isGroup: boolean;
  /** It came while one looked. */
  isFresh: boolean;
  sender: User | undefined;
}

export const MessageRow = memo((props: MessageRowProps) => {
  const { message, content, isFirst, isLast, isGroup, isFresh, sender } = props;
  const { t } = useTexts();
  const { isOwn, key, seq, state, failure } = message;
  const hasFace = isGroup && !isOwn;
  const name = sender?.displayName ?? t('chat:system.someone');
  const isBare = content.type === 'text' && message.quote === null && isEmojiOnly(content.text);
  return (
    <li
      className={classes(
        styles['row'],
        isOwn ? styles['own'] : styles['other'],
        isFirst && styles['first'],
        isLast && styles['last'],
        hasFace && styles['faced'],
        isFresh && styles['fresh'],
      )}
      data-row={key}
      data-seq={seq}
    >
      {hasFace && isLast && sender && (
        <span className={styles['face']}>
          <Avatar user={sender} size={32} />
        </span>
      )}
      <div className={styles['line']}>
        <div
          className={classes(
            styles['bubble'],
            isBare && styles['bare'],
            (content.type === 'video' || content.type === 'image') && styles['media'],
          )}
          data-bubble
        >
          {hasFace && isFirst ? (
            <p
              className={styles['name']}
              dir="auto"
              style={{ '--hue': avatarHue(message.senderId) } as React.CSSProperties}
            >
              {name}
            </p>
          ) : (
            isFirst && <span className="visually-hidden">{isOwn ? t('chat:you') : name}</span>
          )}
          {message.quote && <QuoteBlock quote={message.quote} />}
          <MessageBody content={content} isBare={isBare}>
            <Meta timestamp={message.timestamp} state={state} />
          </MessageBody>
        </div>
        <Actions message={message} content={content} name={name} />
      </div>
      {state === 'failed' && <FailedLine message={message} failure={failure} />}
    </li>
  );
});

function Meta({ timestamp, state }: Pick<ViewMessage, 'timestamp' | 'state'>) {
  const language = useLanguage();
  return (
    <span className={styles['meta']}>
      <time dateTime={timestamp} dir="ltr">
        {formatTime(timestamp, language)}
      </time>
      {state && <ProgressSign state={state} />}
    </span>
  );
}

interface ActionsProps {
  message: ViewMessage;
  content: SaidContent;
  name: string;
}

/** Beside the bubble: they show when it is pointed at, or has the focus. */
function Actions({ message, content, name }: ActionsProps) {
  const { t } = useTexts();
  const { openMenu, reply } = useTimeline();
  const replyLabel = message.isOwn ? t('chat:reply') : t('chat:replyTo', { name });
  return (
    <span className={styles['actions']}>
      <button
        type="button"
        tabIndex={-1}
        aria-label={replyLabel}
        title={replyLabel}
        onClick={() => reply(message)}
      >
        <Reply size={17} aria-hidden />
      </button>
      <button
        type="button"
        tabIndex={-1}
        data-options
        aria-haspopup="menu"
        aria-label={`${t('chat:options')}: ${previewOf(content).slice(0, 80)}`}
        title={t('chat:options')}
        onClick={({ currentTarget }) => {
          const { left, bottom } = currentTarget.getBoundingClientRect();
          openMenu(message, { x: left, y: bottom, opener: currentTarget });
        }}
      >
        <Ellipsis size={17} aria-hidden />
      </button>
    </span>
  );
}
