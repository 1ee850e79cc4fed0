import { api } from '@hvideo/protocol';
import type { Notifications } from '../../../features/notifications/index.ts';
import { type Route, route } from '../route.ts';

export function notificationRoutes({ inbox }: Notifications): Route[] {
  return [
    route(api.notifications.list, ({ query }, viewer) => inbox.page(viewer.accountId, query)),
    route(api.notifications.unread, (_call, viewer) => inbox.unread(viewer.accountId)),
    route(api.notifications.read, ({ body }, viewer) => inbox.read(viewer.accountId, body)),
  ];
}
