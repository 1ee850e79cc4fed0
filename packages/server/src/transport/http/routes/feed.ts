import { api } from '@hvideo/protocol';
import type { Timeline } from '../../../features/timeline/index.ts';
import { ReadyJson, type Route, route } from '../route.ts';

export function feedRoutes(timeline: Timeline): Route[] {
  return [
    route(
      api.feed.following,
      async ({ query, request }, viewer) =>
        new ReadyJson(await timeline.followingJson(viewer.accountId, query, request.signal)),
    ),
    route(api.feed.readPosition, ({ body }, viewer) =>
      timeline.positions.save(viewer.accountId, body.entryId),
    ),
    route(api.feed.explain, ({ query }, viewer) => timeline.explain(viewer.accountId, query.author)),
    route(api.feed.latest, ({ query }, viewer) => timeline.latest(viewer?.accountId, query)),
  ];
}
