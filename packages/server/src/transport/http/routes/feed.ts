import { api } from '@hvideo/protocol';
import type { Timeline } from '../../../features/timeline/index.ts';
import type { JsonList } from '../../../kernel/json-list.ts';
import { ReadyJson, type Route, route } from '../route.ts';

export function feedRoutes(timeline: Timeline): Route[] {
  return [
    route(api.feed.following, ({ query, request }, viewer) => {
      const page = timeline.followingJson(viewer.accountId, query, () => request.signal);
      return page instanceof Promise ? page.then(ready) : ready(page);
    }),
    route(api.feed.readPosition, ({ body }, viewer) =>
      timeline.positions.save(viewer.accountId, body.entryId),
    ),
    route(api.feed.explain, ({ query }, viewer) => timeline.explain(viewer.accountId, query.author)),
    route(api.feed.latest, ({ query }, viewer) => timeline.latest(viewer?.accountId, query)),
  ];
}

const ready = (body: JsonList) => new ReadyJson(body);
