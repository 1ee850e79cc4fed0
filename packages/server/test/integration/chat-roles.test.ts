import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Problem } from '@hvideo/protocol';
import { ChatCrowd, type CrowdNode } from '../support/chat-crowd.ts';
import { redisServerPath } from '../support/redis-server.ts';

const people = 60;
/** Who looks at no files needs no such program. */
const withoutFfmpeg = { HVIDEO_FFMPEG: '/nonexistent/ffmpeg', HVIDEO_FFPROBE: '/nonexistent/ffprobe' };

/** Every role apart: two processes with sockets, two that commit, and one with all the rest. */
describe.skipIf(redisServerPath() === undefined)(
  'a chat whose sockets and commits are in processes of their own',
  () => {
    let crowd: ChatCrowd;
    let gateways: CrowdNode[];
    let chats: CrowdNode[];
    let rest: CrowdNode;

    beforeAll(async () => {
      crowd = await ChatCrowd.open({ people, groupSize: 20, pauseMs: 300 });
      rest = await crowd.start(0, { roles: 'api,worker,indexer' });
      const apart = (at: number, roles: string) => crowd.start(at, { roles, env: withoutFfmpeg });
      gateways = await Promise.all([apart(1, 'gateway'), apart(2, 'gateway')]);
      chats = await Promise.all([apart(3, 'chat'), apart(4, 'chat')]);
      await crowd.enter((at) => ({ api: rest, socket: gateways[at % 2]! }));
    }, 120_000);

    afterAll(async () => {
      await crowd?.[Symbol.asyncDispose]();
    }, 60_000);

    const ask = (node: CrowdNode, path: string, init: RequestInit = {}) =>
      fetch(`http://127.0.0.1:${node.port}${path}`, init);

    test('each answers for its roles, and no other', async () => {
      for (const node of [rest, ...gateways, ...chats]) {
        for (const path of ['/healthz', '/readyz', '/metrics'])
          expect((await ask(node, path)).status).toBe(200);
      }
      expect((await ask(rest, '/api/v1/instance')).status).toBe(200);
      const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
      const foreign: [CrowdNode, string, RequestInit?][] = [
        [rest, '/ws'],
        [rest, '/ws', { headers: upgrade }],
        [chats[0]!, '/ws'],
      ];
      for (const node of [gateways[0]!, chats[0]!])
        for (const path of ['/', '/api/v1/instance', '/api/docs', '/media/a/b', '/oembed', '/embed/1'])
          foreign.push([node, path]);
      for (const [node, path, init] of foreign) {
        const answer = await ask(node, path, init);
        expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
          path,
          404,
          'application/problem+json',
        ]);
        expect(((await answer.json()) as Problem).code).toBe('not-found');
      }
    });

    test('loses nothing when processes of each kind are killed, and clients notice the gateway only', async () => {
      const talking = new AbortController();
      const everybody = crowd.talk(talking.signal);
      await Bun.sleep(3_000);
      let offline = 0;
      const leavings = crowd.clients.map(({ chat }) =>
        chat.on((notice) => {
          if (notice.type === 'status' && notice.status.phase !== 'online') offline += 1;
        }),
      );
      await crowd.kill(3);
      await Bun.sleep(5_000);
      await crowd.start(3, { env: withoutFfmpeg });
      await Bun.sleep(2_000);
      // Asked to stop, it hands over what it has, and ends well.
      expect(await crowd.kill(4, 'SIGTERM')).toBe(0);
      await Bun.sleep(1_000);
      await crowd.start(4, { env: withoutFfmpeg });
      expect(offline).toBe(0);
      for (const leave of leavings) leave();
      await crowd.kill(1);
      await Bun.sleep(1_000);
      await crowd.start(1, { env: withoutFfmpeg });
      await Bun.sleep(3_000);
      talking.abort();
      await everybody;
      await crowd.expectWhole(20);
    }, 180_000);
  },
);
