import { api } from '@hvideo/protocol';
import type { History } from '../../../features/history/index.ts';
import { type Route, route } from '../route.ts';

export function historyRoutes({ views, entries }: History): Route[] {
  return [
    route(api.history.view, ({ params, body, request }, viewer) =>
      views.report(params.id, { accountId: viewer?.accountId, address: request.address }, body),
    ),
    route(api.history.list, ({ query }, viewer) => entries.page(viewer.accountId, query)),
    route(api.history.of, ({ params, query }, viewer) => entries.of(viewer?.accountId, params.id, query)),
    route(api.history.place, ({ params }, viewer) => entries.place(viewer.accountId, params.id)),
    route(api.history.clear, (_call, viewer) => entries.clear(viewer.accountId)),
    route(api.history.remove, ({ params }, viewer) => entries.remove(viewer.accountId, params.id)),
    route(api.history.settings, (_call, viewer) => entries.settings(viewer.accountId)),
    route(api.history.changeSettings, ({ body }, viewer) => entries.change(viewer.accountId, body)),
  ];
}
