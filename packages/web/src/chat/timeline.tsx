import type {
  ChatConversation,
  ConversationSnapshot,
  ConversationSummary,
  ViewMessage,
} from '@hvideo/client';
import { useImperativeHandle, useMemo, useRef } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { useLanguage } from '../lib/use-language.ts';
import { useNow } from '../lib/use-now.ts';
import { Button } from '../ui/button.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { Announcer } from './announcer.tsx';
import { Beginning } from './beginning.tsx';
import { failureText } from './failure.ts';
import { MessageMenu, useMessageMenu } from './message-menu.tsx';
import { MessageRow } from './message-row.tsx';
import { type KnownPeople, nameOf, systemText } from './names.ts';
import { NewestButton } from './newest-button.tsx';
import { daysOf, type Row } from './rows.ts';
import styles from './timeline.module.css';
import { type TimelineActions, TimelineContext } from './timeline-context.ts';
import { useReading } from './use-reading.ts';
import { useRoving } from './use-roving.ts';
import { formatDayName } from './when.ts';

export interface TimelineHandle {
  /** Shows the newest message, and follows what comes. */
  toEnd(): void;
}

interface TimelineProps {
  ref: React.Ref<TimelineHandle>;
  conversation: ChatConversation;
  summary: ConversationSummary;
  snapshot: ConversationSnapshot;
  people: KnownPeople;
  viewerId: string;
  onReply(message: ViewMessage): void;
}

export function Timeline(props: TimelineProps) {
  const { conversation, summary, snapshot, people, viewerId, onReply, ref } = props;
  const { t } = useTexts();
  const language = useLanguage();
  const nowMs = useNow();
  const list = useRef<HTMLOListElement>(null);
  const reading = useReading(conversation, snapshot, summary);
  useImperativeHandle(ref, () => ({ toEnd: reading.toEnd }), [reading.toEnd]);
  const menu = useMessageMenu(conversation);
  const onKeyDown = useRoving(list);
  const days = useMemo(
    () => daysOf(snapshot.messages, reading.newAfter, snapshot.hasOlder),
    [snapshot.messages, reading.newAfter, snapshot.hasOlder],
  );
  const latest = useRef({ snapshot, onReply, reading });
  latest.current = { snapshot, onReply, reading };
  // The same object all the time: rows that did not change are not drawn anew.
  const actions = useMemo<TimelineActions>(
    () => ({
      conversation,
      openMenu: menu.open,
      reply: (message) => latest.current.onReply(message),
      jump: (seq) => latest.current.reading.jump(seq),
      here: ({ seq, key }) =>
        latest.current.snapshot.messages.find((message) =>
          seq === null ? message.key === key : message.seq === seq,
        ),
    }),
    [conversation, menu.open],
  );
  const rowProps = { people, viewerId, isGroup: summary.type === 'group', freshAfterMs: reading.openedAtMs };
  const name = nameOf(summary, language);
  return (
    <TimelineContext value={actions}>
      <div className={styles['frame']}>
        <section
          ref={reading.scroller}
          className={styles['scroller']}
          aria-label={t('chat:messages', { name })}
        >
          <div
            ref={reading.content}
            className={classes(styles['content'], !reading.isPositioned && styles['waiting'])}
          >
            <Top snapshot={snapshot} summary={summary} onRetry={reading.loadOlder} />
            <ol ref={list} className={styles['days']} onKeyDownCapture={onKeyDown} {...menu.listProps}>
              {days.map(({ startMs, rows }) => (
                <li key={startMs}>
                  <h3 className={styles['day']}>
                    <span>{formatDayName(startMs, language, nowMs)}</span>
                  </h3>
                  <ol className={styles['rows']}>
                    {rows.map((row) => (
                      <TimelineRow key={row.key} row={row} {...rowProps} />
                    ))}
                  </ol>
                </li>
              ))}
            </ol>
            {snapshot.isLoadingNewer && <Loading label={t('status.loading')} />}
          </div>
        </section>
        <NewestButton
          isShown={reading.isPositioned && (!reading.isAtEnd || snapshot.hasNewer)}
          count={summary.unread}
          onClick={reading.toNewest}
        />
      </div>
      <Announcer conversation={conversation} people={people} viewerId={viewerId} />
      <MessageMenu menu={menu} conversation={conversation} members={snapshot.members} viewerId={viewerId} />
    </TimelineContext>
  );
}

interface TopProps {
  snapshot: ConversationSnapshot;
  summary: ConversationSummary;
  onRetry(): void;
}

/** Above the oldest message: it goes on, or it began here. */
function Top({ snapshot, summary, onRetry }: TopProps) {
  const { t } = useTexts();
  if (!snapshot.hasOlder) return <Beginning summary={summary} />;
  if (snapshot.failure === null) return <Loading label={t('chat:older')} />;
  return (
    <div className={styles['top']} role="alert">
      <p>
        {t('chat:olderFailed')} {failureText(snapshot.failure)}
      </p>
      <Button size="sm" onClick={onRetry}>
        {t('actions.retry')}
      </Button>
    </div>
  );
}

/** The same height with and without the spinner. */
const Loading = ({ label }: { label: string }) => (
  <div className={styles['top']} title={label}>
    <Spinner size={22} />
  </div>
);

interface TimelineRowProps {
  row: Row;
  people: KnownPeople;
  viewerId: string;
  isGroup: boolean;
  freshAfterMs: number;
}

function TimelineRow({ row, people, viewerId, isGroup, freshAfterMs }: TimelineRowProps) {
  const { t } = useTexts();
  const language = useLanguage();
  switch (row.kind) {
    case 'new':
      return (
        <li className={styles['new']} data-new>
          <span>{t('chat:newHere')}</span>
        </li>
      );
    case 'system':
      return (
        <li className={styles['system']} data-row={row.key} data-seq={row.message.seq}>
          <span>{systemText(row.content, people, viewerId, language)}</span>
        </li>
      );
    case 'message':
      return (
        <MessageRow
          message={row.message}
          content={row.content}
          isFirst={row.isFirst}
          isLast={row.isLast}
          isGroup={isGroup}
          isFresh={Date.parse(row.message.timestamp) > freshAfterMs}
          sender={people.get(row.message.senderId)}
        />
      );
  }
}
