import { api } from '@hvideo/protocol';
import type { Detail } from '../../../features/detail/index.ts';
import type { Videos } from '../../../features/videos/index.ts';
import { ReadyJson, type Route, route } from '../route.ts';

export function videoRoutes({ reads, writes, progressOf }: Videos, detail: Detail): Route[] {
  return [
    route(api.videos.create, ({ body, request }, viewer) =>
      writes.create(viewer.accountId, body, request.idempotency),
    ),
    route(api.videos.get, ({ params, request }, viewer) => {
      const failed = (error: unknown) => {
        request.cancelTrace();
        throw error;
      };
      try {
        const text = detail.text(viewer, params.id, () => request.signal);
        return typeof text === 'string' ? new ReadyJson(text) : text.then((it) => new ReadyJson(it), failed);
      } catch (error) {
        return failed(error);
      }
    }),
    route(api.videos.update, ({ params, body, request }, viewer) =>
      writes.update(viewer.accountId, params.id, body, request.idempotency),
    ),
    route(api.videos.delete, ({ params, request }, viewer) =>
      writes.delete(viewer.accountId, params.id, request.idempotency),
    ),
    route(api.videos.takedown, ({ params, body, request }, viewer) =>
      writes.takedown(viewer.accountId, params.id, body.reason, request.idempotency),
    ),
    route(api.videos.progress, async ({ params, request }, viewer) => {
      const stream = await progressOf(viewer.accountId, params.id, request.signal);
      return new Response(stream, {
        headers: {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          // nginx would hold the events back.
          'x-accel-buffering': 'no',
        },
      });
    }),
    route(api.videos.byUser, ({ params, query }, viewer) =>
      reads.byUser(viewer?.accountId, params.id, query),
    ),
    route(api.videos.own, ({ query }, viewer) => reads.ownPage(viewer.accountId, query)),
  ];
}
