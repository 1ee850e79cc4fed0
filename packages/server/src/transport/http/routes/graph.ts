import { api } from '@hvideo/protocol';
import type { Graph } from '../../../features/graph/index.ts';
import type { Idempotency } from '../../../ports/database/port.ts';
import { type Route, route } from '../route.ts';

type EdgeWrite = (viewerId: string, otherId: string, idempotency?: Idempotency) => Promise<void>;

export function graphRoutes({ edges, lists, resolve, resolveAnybody, profile }: Graph): Route[] {
  const write = (endpoint: typeof api.users.unfollow, change: EdgeWrite) =>
    route(endpoint, async ({ params, request }, viewer) =>
      change(viewer.accountId, await resolveAnybody(params.id), request.idempotency),
    );
  return [
    route(api.users.get, ({ params }, viewer) => profile(params.id, viewer?.accountId)),
    route(api.users.follow, async ({ params, request }, viewer) =>
      edges.follow(viewer.accountId, await resolve(params.id, viewer.accountId), request.idempotency),
    ),
    write(api.users.unfollow, (...change) => edges.unfollow(...change)),
    write(api.users.mute, (...change) => edges.mute(...change)),
    write(api.users.unmute, (...change) => edges.unmute(...change)),
    write(api.users.block, (...change) => edges.block(...change)),
    write(api.users.unblock, (...change) => edges.unblock(...change)),
    route(api.users.followers, async ({ params, query }, viewer) =>
      lists.followers(viewer?.accountId, await resolve(params.id, viewer?.accountId), query),
    ),
    route(api.users.following, async ({ params, query }, viewer) =>
      lists.following(viewer?.accountId, await resolve(params.id, viewer?.accountId), query),
    ),
    route(api.users.commonFollowing, async ({ params, query }, viewer) =>
      lists.common(viewer.accountId, await resolve(params.id, viewer.accountId), query),
    ),
    route(api.users.friends, ({ query }, viewer) => lists.friends(viewer.accountId, query)),
    route(api.users.muted, ({ query }, viewer) => lists.muted(viewer.accountId, query)),
    route(api.users.blocked, ({ query }, viewer) => lists.blocked(viewer.accountId, query)),
  ];
}
