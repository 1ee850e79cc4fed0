import type { ConversationSnapshot } from '@hvideo/client';
import type { Account } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { MessageCircleOff } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { useLanguage } from '../lib/use-language.ts';
import { useTitle } from '../lib/use-title.ts';
import { Button, buttonClass } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { Composer } from './composer.tsx';
import { ConnectionLine } from './connection-line.tsx';
import { ConversationHeader } from './conversation-header.tsx';
import styles from './conversation-pane.module.css';
import { failureText } from './failure.ts';
import { nameOf } from './names.ts';
import { usePeople } from './people.tsx';
import { Timeline, type TimelineHandle } from './timeline.tsx';
import { TimelineLoading } from './timeline-loading.tsx';
import { useChat, useObservable } from './use-chat.ts';
import { useReply } from './use-reply.ts';

interface ConversationPaneProps {
  id: string;
  viewer: Account;
}

/** One conversation: who it is with, what was said, and the place to say something. */
export function ConversationPane({ id, viewer }: ConversationPaneProps) {
  const chat = useChat();
  const conversation = useMemo(() => chat.conversation(id), [chat, id]);
  const snapshot = useObservable(conversation);
  const language = useLanguage();
  const name = snapshot.conversation ? nameOf(snapshot.conversation, language) : undefined;
  useTitle(name);
  const people = usePeople(snapshot, viewer);
  const timeline = useRef<TimelineHandle>(null);
  const reply = useReply(conversation, id);
  // Whoever is taken out while it is open loses it there and then.
  const [wasThere, setWasThere] = useState(false);
  if (snapshot.conversation && !wasThere) setWasThere(true);
  const isMissing = snapshot.failure?.code === 'not-found' || (wasThere && snapshot.conversation === null);
  return (
    <section className={styles['pane']} aria-label={name}>
      <ConversationHeader snapshot={snapshot} viewer={viewer} isMissing={isMissing} />
      {isMissing ? (
        <Missing />
      ) : (
        <>
          {snapshot.isLoaded && snapshot.conversation ? (
            <Timeline
              ref={timeline}
              conversation={conversation}
              summary={snapshot.conversation}
              snapshot={snapshot}
              people={people}
              viewerId={viewer.id}
              onReply={reply.set}
            />
          ) : (
            <Waiting snapshot={snapshot} onRetry={() => chat.reconnect()} />
          )}
          <ConnectionLine />
          <Composer
            conversation={conversation}
            name={name}
            people={people}
            reply={reply}
            isReady={snapshot.conversation !== null}
            onSent={() => timeline.current?.toEnd()}
          />
        </>
      )}
    </section>
  );
}

function Waiting({ snapshot, onRetry }: { snapshot: ConversationSnapshot; onRetry(): void }) {
  const { t } = useTexts();
  if (!snapshot.failure) return <TimelineLoading />;
  return (
    <div className={styles['middle']} role="alert">
      <Notice
        compact
        title={t('chat:historyFailed')}
        text={failureText(snapshot.failure)}
        actions={<Button onClick={onRetry}>{t('actions.retry')}</Button>}
      />
    </div>
  );
}

function Missing() {
  const { t } = useTexts();
  return (
    <div className={styles['middle']}>
      <Notice
        icon={<MessageCircleOff size={32} aria-hidden />}
        title={t('chat:notFound')}
        text={t('chat:notFoundText')}
        actions={
          <Link to="/messages" className={buttonClass()}>
            {t('chat:toList')}
          </Link>
        }
      />
    </div>
  );
}
