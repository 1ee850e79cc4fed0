import { MessageCircleHeart, SquarePen } from 'lucide-react';
import { useTexts } from '../i18n/use-texts.ts';
import { useNow } from '../lib/use-now.ts';
import { useStore } from '../lib/use-store.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import styles from './conversation-list.module.css';
import { ConversationRow } from './conversation-row.tsx';
import { drafts } from './drafts.ts';
import { failureText } from './failure.ts';
import { useChat, useObservable } from './use-chat.ts';

interface ConversationListProps {
  openId: string | undefined;
  onNew(): void;
}

export function ConversationList({ openId, onNew }: ConversationListProps) {
  const { t } = useTexts();
  return (
    <div className={styles['pane']}>
      <header className={styles['header']}>
        <h1>{t('chats.title')}</h1>
        <IconButton label={t('chat:new')} tone="soft" onClick={onNew}>
          <SquarePen size={20} aria-hidden />
        </IconButton>
      </header>
      <div className={styles['scroller']}>
        <Rows openId={openId} onNew={onNew} />
      </div>
    </div>
  );
}

function Rows({ openId, onNew }: ConversationListProps) {
  const { t } = useTexts();
  const { conversations } = useChat();
  const { items, isLoaded, isLoading, hasMore, failure } = useObservable(conversations);
  const kept = useStore(drafts);
  const nowMs = useNow();
  const act = (work: Promise<void>) => {
    // The list says itself why it failed.
    work.catch((error: unknown) => error);
  };
  if (items.length === 0) {
    if (failure) {
      return (
        <div role="alert">
          <Notice
            compact
            title={t('error.title')}
            text={failureText(failure)}
            actions={
              <Button busy={isLoading} onClick={() => act(conversations.refresh())}>
                {t('actions.retry')}
              </Button>
            }
          />
        </div>
      );
    }
    return isLoaded ? <Empty onNew={onNew} /> : <Loading />;
  }
  return (
    <>
      <nav aria-label={t('chat:list')}>
        <ul className={styles['rows']}>
          {items.map((conversation) => (
            <ConversationRow
              key={conversation.id}
              conversation={conversation}
              draft={conversation.id === openId ? undefined : kept.get(conversation.id)?.text}
              isOpen={conversation.id === openId}
              nowMs={nowMs}
            />
          ))}
        </ul>
      </nav>
      {hasMore && (
        <div className={styles['more']}>
          <Button block size="sm" busy={isLoading} onClick={() => act(conversations.loadMore())}>
            {t('actions.loadMore')}
          </Button>
        </div>
      )}
    </>
  );
}

const loadingWidths = ['46%', '62%', '38%', '54%', '48%', '58%', '42%'];

function Loading() {
  const { t } = useTexts();
  return (
    <div role="status" className={styles['rows']}>
      <span className="visually-hidden">{t('chat:loading')}</span>
      {loadingWidths.map((width) => (
        <div key={width} className={styles['loading']} aria-hidden>
          <Skeleton width="3.25rem" height="3.25rem" round />
          <span>
            <Skeleton width={width} />
            <Skeleton width="78%" height="0.8em" />
          </span>
        </div>
      ))}
    </div>
  );
}

function Empty({ onNew }: { onNew(): void }) {
  const { t } = useTexts();
  return (
    <Notice
      compact
      icon={<MessageCircleHeart size={26} aria-hidden />}
      title={t('chat:empty')}
      text={t('chat:emptyText')}
      actions={
        <Button tone="accent" onClick={onNew}>
          {t('chat:new')}
        </Button>
      }
    />
  );
}
