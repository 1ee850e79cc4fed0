import { api } from '@hvideo/protocol';
import type { Engagement } from '../../../features/engagement/index.ts';
import { type Route, route } from '../route.ts';

type ReactionName = Parameters<Engagement['reactions']['add']>[0];

export function engagementRoutes(engagement: Engagement): Route[] {
  const { reactions, reposts, folders, lists, comments, commentWrites } = engagement;
  const adds = (endpoint: typeof api.engagement.like | typeof api.engagement.share, reaction: ReactionName) =>
    route(endpoint, ({ params, request }, viewer) =>
      reactions.add(reaction, viewer.accountId, params.id, request.idempotency),
    );
  const removes = (endpoint: typeof api.engagement.unlike, reaction: ReactionName) =>
    route(endpoint, ({ params, request }, viewer) =>
      reactions.remove(reaction, viewer.accountId, params.id, request.idempotency),
    );
  return [
    adds(api.engagement.like, 'likes'),
    removes(api.engagement.unlike, 'likes'),
    route(api.engagement.favorite, ({ params, query, request }, viewer) =>
      reactions.keep(viewer.accountId, params.id, query.folder, request.idempotency),
    ),
    removes(api.engagement.unfavorite, 'favorites'),
    route(api.engagement.repost, ({ params, body, request }, viewer) =>
      reposts.add(viewer.accountId, params.id, body.comment, request.idempotency),
    ),
    route(api.engagement.unrepost, ({ params, request }, viewer) =>
      reposts.remove(viewer.accountId, params.id, request.idempotency),
    ),
    adds(api.engagement.share, 'shares'),
    route(api.engagement.likes, ({ params, query }, viewer) =>
      lists.likes(viewer?.accountId, params.id, query),
    ),
    route(api.engagement.favorites, ({ params, query }, viewer) =>
      lists.favorites(viewer?.accountId, params.id, query),
    ),
    route(api.engagement.lists, ({ params }, viewer) => lists.open(viewer?.accountId, params.id)),
    route(api.engagement.settings, (_call, viewer) => lists.settings(viewer.accountId)),
    route(api.engagement.changeSettings, ({ body }, viewer) => lists.change(viewer.accountId, body)),
    route(api.engagement.folders, (_call, viewer) => folders.list(viewer.accountId)),
    route(api.engagement.createFolder, ({ body, request }, viewer) =>
      folders.create(viewer.accountId, body.name, request.idempotency),
    ),
    route(api.engagement.renameFolder, ({ params, body }, viewer) =>
      folders.rename(viewer.accountId, params.id, body.name),
    ),
    route(api.engagement.deleteFolder, ({ params }, viewer) => folders.delete(viewer.accountId, params.id)),
    route(api.comments.list, ({ params, query }, viewer) => comments.page(viewer, params.id, query)),
    route(api.comments.create, ({ params, body, request }, viewer) =>
      engagement.comment(viewer, params.id, body, request.idempotency),
    ),
    route(api.comments.get, ({ params }, viewer) => comments.get(viewer, params.id)),
    route(api.comments.replies, ({ params, query }, viewer) => comments.replies(viewer, params.id, query)),
    route(api.comments.delete, ({ params, request }, viewer) =>
      commentWrites.delete(viewer, params.id, request.idempotency),
    ),
    route(api.comments.like, ({ params, request }, viewer) =>
      commentWrites.like(viewer.accountId, params.id, request.idempotency),
    ),
    route(api.comments.unlike, ({ params, request }, viewer) =>
      commentWrites.unlike(viewer.accountId, params.id, request.idempotency),
    ),
    route(api.comments.pin, ({ params, request }, viewer) =>
      commentWrites.pin(viewer.accountId, params.id, true, request.idempotency),
    ),
    route(api.comments.unpin, ({ params, request }, viewer) =>
      commentWrites.pin(viewer.accountId, params.id, false, request.idempotency),
    ),
  ];
}
