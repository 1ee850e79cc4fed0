import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { loadChatTexts } from '../i18n/index.ts';
import { FeedPage } from '../pages/feed/feed-page.tsx';
import { CrashPage, NotFoundPage } from '../pages/not-found/not-found-page.tsx';
import { Shell } from '../shell/shell.tsx';
import { PageSpinner } from '../ui/spinner.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: () => <NotFoundPage /> });

/** `next`: where to go after signing in; only a path of this app, never another site. */
export function safeNext(value: unknown): string | undefined {
  return typeof value === 'string' && /^\/(?![/\\])/.test(value) ? value : undefined;
}

const nextSearch = (search: Record<string, unknown>): { next?: string } => {
  const next = safeNext(search['next']);
  return next === undefined ? {} : { next };
};

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: () => <FeedPage key="latest" kind="latest" />,
});
const following = createRoute({
  getParentRoute: () => root,
  path: '/following',
  validateSearch: (search: Record<string, unknown>): { from?: string } =>
    typeof search['from'] === 'string' ? { from: search['from'] } : {},
  component: FollowingPage,
});
function FollowingPage() {
  const { from } = following.useSearch();
  return <FeedPage key={from ?? 'following'} kind="following" from={from} />;
}
const video = createRoute({
  getParentRoute: () => root,
  path: '/v/$id',
  component: lazyRouteComponent(() => import('../pages/video/video-page.tsx'), 'VideoPage'),
});
const profile = createRoute({
  getParentRoute: () => root,
  path: '/$handle',
  component: lazyRouteComponent(() => import('../pages/profile/profile-page.tsx'), 'ProfilePage'),
});
const profileTab = createRoute({
  getParentRoute: () => root,
  path: '/$handle/$tab',
  component: lazyRouteComponent(() => import('../pages/profile/profile-page.tsx'), 'ProfilePage'),
});
const profileFolder = createRoute({
  getParentRoute: () => root,
  path: '/$handle/favorites/$folder',
  component: lazyRouteComponent(() => import('../pages/profile/profile-page.tsx'), 'ProfilePage'),
});
const people = createRoute({
  getParentRoute: () => root,
  path: '/$handle/people/$list',
  component: lazyRouteComponent(() => import('../pages/profile/people-page.tsx'), 'PeoplePage'),
});
const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: nextSearch,
  component: lazyRouteComponent(() => import('../pages/auth/login-page.tsx'), 'LoginPage'),
});
const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  validateSearch: (search: Record<string, unknown>): { next?: string; invitation?: string } => ({
    ...nextSearch(search),
    ...(typeof search['invitation'] === 'string' ? { invitation: search['invitation'] } : {}),
  }),
  component: lazyRouteComponent(() => import('../pages/auth/register-page.tsx'), 'RegisterPage'),
});
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('../pages/setup/setup-page.tsx'), 'SetupPage'),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  component: lazyRouteComponent(() => import('../pages/settings/settings-page.tsx'), 'SettingsPage'),
});
const settingsSection = createRoute({
  getParentRoute: () => root,
  path: '/settings/$section',
  component: lazyRouteComponent(() => import('../pages/settings/settings-page.tsx'), 'SettingsSectionPage'),
});
const history = createRoute({
  getParentRoute: () => root,
  path: '/history',
  component: lazyRouteComponent(() => import('../pages/history/history-page.tsx'), 'HistoryPage'),
});
const notifications = createRoute({
  getParentRoute: () => root,
  path: '/notifications',
  component: lazyRouteComponent(
    () => import('../pages/notifications/notifications-page.tsx'),
    'NotificationsPage',
  ),
});
const messages = createRoute({
  getParentRoute: () => root,
  path: '/messages',
  component: lazyRouteComponent(async () => {
    const [page] = await Promise.all([import('../chat/chat-page.tsx'), loadChatTexts()]);
    return page;
  }, 'ChatPage'),
});
/** Below the list, so that the list stays as it is when a conversation is chosen. */
const conversation = createRoute({ getParentRoute: () => messages, path: '$conversation' });
const operations = createRoute({
  getParentRoute: () => root,
  path: '/operations',
  component: lazyRouteComponent(() => import('../pages/operations/operations-page.tsx'), 'OperationsPage'),
});
const upload = createRoute({
  getParentRoute: () => root,
  path: '/upload',
  component: lazyRouteComponent(() => import('../pages/upload/upload-page.tsx'), 'UploadPage'),
});
const studio = createRoute({
  getParentRoute: () => root,
  path: '/studio',
  component: lazyRouteComponent(() => import('../pages/studio/studio-page.tsx'), 'StudioPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    following,
    video,
    profile,
    profileTab,
    profileFolder,
    people,
    history,
    notifications,
    messages.addChildren([conversation]),
    operations,
    login,
    register,
    setup,
    settings,
    settingsSection,
    upload,
    studio,
  ]),
  // Handles read as `/@lin`, not `/%40lin`.
  pathParamsAllowedCharacters: ['@'],
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingComponent: PageSpinner,
  defaultPendingMs: 200,
  defaultErrorComponent: CrashPage,
  defaultNotFoundComponent: () => <NotFoundPage />,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
