import type { Account } from '@hvideo/protocol';
import { useParams } from '@tanstack/react-router';
import { MessagesSquare } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { RequireViewer } from '../app/require-viewer.tsx';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { useIsDesktop } from '../lib/use-media.ts';
import { useTitle } from '../lib/use-title.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import styles from './chat-page.module.css';
import { chatOf } from './chat-session.ts';
import { ConversationList } from './conversation-list.tsx';
import { ConversationPane } from './conversation-pane.tsx';
import { NewChatDialog } from './new-chat-dialog.tsx';
import { ChatContext } from './use-chat.ts';

/** Conversations, and the one that is open: side by side where there is room, on a phone one at a time. */
export function ChatPage() {
  const { t } = useTexts();
  useTitle(t('chats.title'));
  return <RequireViewer>{(viewer) => <Body key={viewer.id} viewer={viewer} />}</RequireViewer>;
}

function Body({ viewer }: { viewer: Account }) {
  const chat = useMemo(() => chatOf(viewer.id), [viewer.id]);
  const { conversation: id } = useParams({ strict: false });
  const isDesktop = useIsDesktop();
  const [isBeginning, setBeginning] = useState(false);
  useQuietPage();
  const begin = () => setBeginning(true);
  return (
    <ChatContext value={chat}>
      <div className={classes(styles['page'], id !== undefined && styles['open'])}>
        {(isDesktop || id === undefined) && (
          <section className={styles['list']}>
            <ConversationList openId={id} onNew={begin} />
          </section>
        )}
        {id !== undefined ? (
          <ConversationPane key={id} id={id} viewer={viewer} />
        ) : (
          isDesktop && <NothingOpen onNew={begin} />
        )}
      </div>
      {isBeginning && <NewChatDialog viewerId={viewer.id} onClose={() => setBeginning(false)} />}
    </ChatContext>
  );
}

function NothingOpen({ onNew }: { onNew(): void }) {
  const { t } = useTexts();
  return (
    <section className={styles['nothing']}>
      <Notice
        icon={<MessagesSquare size={32} aria-hidden />}
        title={t('chat:choose')}
        text={t('chat:chooseText')}
        actions={
          <Button tone="accent" onClick={onNew}>
            {t('chat:new')}
          </Button>
        }
      />
    </section>
  );
}

/** What is written stays above the keyboard of a phone: the page is as high as what can be seen of it. */
function useQuietPage(): void {
  useEffect(() => {
    const view = window.visualViewport;
    if (!view) return;
    const { style } = document.documentElement;
    const follow = () => {
      // Zoomed in, the part that is seen is a part of the page, and the page stays as it is.
      const isPlain = Math.abs(view.scale - 1) < 0.01;
      style.setProperty('--view-height', isPlain ? `${view.height}px` : '100dvh');
      style.setProperty('--view-top', isPlain ? `${view.offsetTop}px` : '0px');
      style.setProperty('--view-covered', isPlain && innerHeight - view.height > 120 ? '0' : '1');
    };
    follow();
    view.addEventListener('resize', follow);
    view.addEventListener('scroll', follow);
    return () => {
      view.removeEventListener('resize', follow);
      view.removeEventListener('scroll', follow);
      for (const name of ['--view-height', '--view-top', '--view-covered']) style.removeProperty(name);
    };
  }, []);
}
