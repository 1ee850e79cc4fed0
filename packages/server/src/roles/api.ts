import { type Accounts, addressKey } from '../features/accounts/index.ts';
import type { Chat } from '../features/chat/index.ts';
import type { Detail } from '../features/detail/index.ts';
import type { Engagement } from '../features/engagement/index.ts';
import type { Graph } from '../features/graph/index.ts';
import type { History, SegmentEvidence } from '../features/history/index.ts';
import type { Media } from '../features/media/index.ts';
import type { Notifications } from '../features/notifications/index.ts';
import type { Timeline } from '../features/timeline/index.ts';
import type { Videos } from '../features/videos/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { remembered } from '../kernel/remembered.ts';
import type { MediaStore } from '../ports/media-store/port.ts';
import type { Route } from '../transport/http/route.ts';
import { authRoutes, instanceRoutes, meRoutes } from '../transport/http/routes/accounts.ts';
import { chatRoutes } from '../transport/http/routes/chat.ts';
import { engagementRoutes } from '../transport/http/routes/engagement.ts';
import { feedRoutes } from '../transport/http/routes/feed.ts';
import { graphRoutes } from '../transport/http/routes/graph.ts';
import { historyRoutes } from '../transport/http/routes/history.ts';
import { mediaRoutes } from '../transport/http/routes/media.ts';
import { notificationRoutes } from '../transport/http/routes/notifications.ts';
import { oembedRoutes, type SharedVideosDeps } from '../transport/http/routes/oembed.ts';
import { operationsRoutes } from '../transport/http/routes/operations.ts';
import { uploadRoutes } from '../transport/http/routes/uploads.ts';
import { videoPages } from '../transport/http/routes/video-pages.ts';
import { videoRoutes } from '../transport/http/routes/videos.ts';

export interface ApiDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly accounts: Accounts;
  readonly chat: Chat;
  readonly detail: Detail;
  readonly engagement: Engagement;
  readonly evidence: SegmentEvidence;
  readonly graph: Graph;
  readonly history: History;
  readonly media: Media;
  readonly notifications: Notifications;
  readonly store: MediaStore;
  readonly timeline: Timeline;
  readonly videos: Videos;
  readonly operations: Parameters<typeof operationsRoutes>[0];
  readonly settings: Parameters<typeof instanceRoutes>[1] & {
    readonly publicOrigin: string | undefined;
    readonly trustedProxies: number;
  };
}

/** The community's name changes when it is set up, and hardly ever after. */
const nameTtlMs = 30_000;

/** Requests of the API, whichever way they come: over HTTP, or over a socket. */
export function apiRoutes(deps: ApiDeps): Route[] {
  const { accounts, detail, videos } = deps;
  return [
    ...instanceRoutes(accounts, deps.settings),
    ...authRoutes(accounts),
    ...meRoutes(accounts),
    ...graphRoutes(deps.graph),
    ...uploadRoutes(deps.media.uploads),
    ...videoRoutes(videos, detail),
    ...feedRoutes(deps.timeline),
    ...historyRoutes(deps.history),
    ...engagementRoutes(deps.engagement),
    ...notificationRoutes(deps.notifications),
    ...chatRoutes(deps.chat),
    ...operationsRoutes(deps.operations),
  ];
}

/** What is asked for over HTTP: requests, media, and pages whose head tells what they show. */
export function openApi(deps: ApiDeps) {
  const { accounts, clock, detail, evidence, log, settings, store, videos } = deps;
  const shared: SharedVideosDeps = {
    ...{ detail, log, publicOrigin: settings.publicOrigin, trustedProxies: settings.trustedProxies },
    instanceName: remembered(clock, nameTtlMs, async () => (await accounts.registration.instance()).name),
  };
  return {
    routes: apiRoutes(deps),
    rawRoutes: {
      ...mediaRoutes({
        ...{ files: videos.files, store, log },
        onSegment: (videoId, address) => evidence.note(videoId, addressKey(address)),
      }),
      ...oembedRoutes(shared),
    },
    pages: videoPages(shared),
  };
}
