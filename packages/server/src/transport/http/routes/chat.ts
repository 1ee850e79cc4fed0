import { api, MessageContent } from '@hvideo/protocol';
import type { Chat } from '../../../features/chat/index.ts';
import { type Route, route } from '../route.ts';

export function chatRoutes(chat: Chat): Route[] {
  return [...conversationRoutes(chat), ...messageRoutes(chat), ...memberRoutes(chat), syncRoute(chat)];
}

function conversationRoutes({ conversations }: Chat): Route[] {
  return [
    route(api.conversations.create, ({ body, request }, viewer) =>
      conversations.create(viewer.accountId, body, request.idempotency),
    ),
    route(api.conversations.list, ({ query, request }, viewer) =>
      conversations.list(viewer.accountId, query, request.signal),
    ),
    route(api.conversations.unread, ({ request }, viewer) =>
      conversations.unread(viewer.accountId, request.signal),
    ),
    route(api.conversations.get, ({ params, request }, viewer) =>
      conversations.get(viewer.accountId, params.id, request.signal),
    ),
    route(api.conversations.rename, ({ params, body }, viewer) =>
      conversations.rename(viewer.accountId, params.id, body.title),
    ),
  ];
}

function messageRoutes({ reading, sending }: Chat): Route[] {
  return [
    route(api.conversations.messages, ({ params, query, request }, viewer) =>
      reading.history(viewer.accountId, params.id, query, request.signal),
    ),
    route(api.conversations.send, ({ params, body, request }, viewer) => {
      const { deviceId, chain, clientSeq, preId, quote } = body;
      // Of the intersection the part that is said.
      const content = MessageContent.parse(body);
      const send = { content, deviceId, chain, clientSeq, preId, quote };
      return sending.send(viewer, params.id, send, request.idempotency);
    }),
    route(api.conversations.read, ({ params, body }, viewer) =>
      reading.markRead(viewer.accountId, params.id, body.seq),
    ),
  ];
}

function memberRoutes({ conversations, reading }: Chat): Route[] {
  return [
    route(api.conversations.members, ({ params, query, request }, viewer) =>
      reading.members(viewer.accountId, params.id, query, request.signal),
    ),
    route(api.conversations.add, ({ params, body }, viewer) =>
      conversations.add(viewer.accountId, params.id, body.memberIds),
    ),
    route(api.conversations.remove, ({ params }, viewer) =>
      conversations.remove(viewer.accountId, params.id, params.userId),
    ),
  ];
}

function syncRoute({ sync }: Chat): Route {
  return route(api.chat.sync, ({ query, request }, viewer) => {
    const { device: instance, pts, ack, wait } = query;
    const acknowledged = (ack?.split(',') ?? []).map((each) => {
      const [conversationId = '', seq = ''] = each.split(':');
      return { conversationId, seq: Number(seq) };
    });
    return sync.sync(viewer, { instance, pts, acknowledged, waitMs: wait * 1000 }, request.signal);
  });
}
