import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { WifiOff } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { errorText } from '../app/errors.ts';
import { changeViewer, useInstance, useViewer } from '../app/session.ts';
import { sessionEnded } from '../app/session-events.ts';
import { useBackgroundChat } from '../chat/background.ts';
import { setLanguage } from '../i18n/index.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import { useOnline } from '../lib/use-online.ts';
import { Toasts, toast } from '../ui/toast.tsx';
import { Rail } from './rail.tsx';
import styles from './shell.module.css';
import { TabBar } from './tab-bar.tsx';

/** Pages whose picture reaches the edges of the screen; the rest scroll as usual. */
const immersive = /^\/(following)?$|^\/v\//;
/** A conversation: on a phone it has the whole screen, and it says itself whether there is a connection. */
const conversation = /^\/messages\/./;

export function Shell() {
  const { t } = useTexts();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const isImmersive = immersive.test(path);
  const isConversation = conversation.test(path);
  useAccountLanguage();
  useSessionEnd();
  useConnectionNotices();
  useBackgroundChat(useViewer()?.id);
  const main = useFocusOnNavigation(path);
  return (
    <div className={classes(styles['shell'], isImmersive && styles['immersive'])}>
      <a className={styles['skip']} href="#main">
        {t('skipToContent')}
      </a>
      <Rail />
      <main id="main" ref={main} className={styles['main']} tabIndex={-1}>
        <SetupHint path={path} />
        <Outlet />
      </main>
      {!isConversation && <TabBar over={isImmersive} />}
      {!isConversation && <OfflineSign />}
      <Toasts />
    </div>
  );
}

/** An instance without an admin has one thing to do first. */
function SetupHint({ path }: { path: string }) {
  const { t } = useTexts();
  const instance = useInstance();
  if (!instance?.setupRequired || path === '/setup') return null;
  return (
    <Link to="/setup" className={styles['setup']}>
      {t('setupHint')}
    </Link>
  );
}

/** A new page is announced and read from its start, as a full load would be. */
function useFocusOnNavigation(path: string) {
  const main = useRef<HTMLElement>(null);
  const lastPath = useRef(path);
  useEffect(() => {
    if (lastPath.current === path) return;
    lastPath.current = path;
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}

function useAccountLanguage() {
  const locale = useViewer()?.locale;
  useEffect(() => {
    if (locale) void setLanguage(locale);
  }, [locale]);
}

function useSessionEnd() {
  useEffect(
    () =>
      sessionEnded.on((reason) => {
        changeViewer(null);
        toast(errorText(reason), 'error');
      }),
    [],
  );
}

/** Stays for as long as it is so. */
function OfflineSign() {
  const { t } = useTexts();
  const isOnline = useOnline();
  return (
    <div role="status">
      {!isOnline && (
        <p className={styles['offline']}>
          <WifiOff size={16} aria-hidden />
          {t('status.offline')}
        </p>
      )}
    </div>
  );
}

function useConnectionNotices() {
  const { t } = useTexts();
  useEffect(() => {
    const online = () => toast(t('status.online'));
    addEventListener('online', online);
    return () => removeEventListener('online', online);
  }, [t]);
}
