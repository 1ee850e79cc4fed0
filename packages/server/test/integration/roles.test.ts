import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Conversation, VideoCard } from '@hvideo/protocol';
import { ApiUser } from '../support/api.ts';
import { ChatCrowd, type CrowdNode } from '../support/chat-crowd.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath } from '../support/redis-server.ts';
import { StompUser } from '../support/stomp.ts';

/** Each role in a process of its own, and what takes several of them. */
describe.skipIf(redisServerPath() === undefined)('five processes of one role each', () => {
  let crowd: ChatCrowd;
  let gateway: CrowdNode;
  let user: ApiUser;

  beforeAll(async () => {
    crowd = await ChatCrowd.open({ people: 0, groupSize: 1, pauseMs: 1 });
    const api = await crowd.start(0, { roles: 'api', args: ['--demo', '1'] });
    const others = ['worker', 'indexer', 'chat', 'gateway'];
    const started = await Promise.all(others.map((roles, at) => crowd.start(at + 1, { roles })));
    gateway = started[3]!;
    user = await new ApiUser(`http://127.0.0.1:${api.port}`).join('newcomer');
  }, 60_000);

  afterAll(async () => {
    const codes = await Promise.all(crowd.nodes.map((_, at) => crowd.kill(at, 'SIGTERM')));
    await crowd[Symbol.asyncDispose]();
    expect(codes).toEqual([0, 0, 0, 0, 0]);
  }, 60_000);

  test('who joins is greeted: the indexer hears of it, and the chat says it', async () => {
    const greeting = await eventually(async () => {
      const { body } = await user.call<{ items: Conversation[] }>('GET', '/conversations');
      return body.items.find(({ lastMessage }) => lastMessage !== null);
    }, 20_000);
    expect(greeting.unread).toBeGreaterThan(0);
  }, 30_000);

  test('a request over a socket is answered where no request over HTTP is', async () => {
    await using speaker = await new StompUser(`http://127.0.0.1:${gateway.port}`, user.accessToken).connect();
    speaker.client.publish({
      destination: '/app/rpc/GET /users/me',
      headers: { 'correlation-id': 'me' },
    });
    const reply = await eventually(async () => speaker.replies[0]);
    expect(reply.headers).toMatchObject({ 'correlation-id': 'me', status: '200' });
    expect(JSON.parse(reply.body)).toMatchObject({ id: user.id });
  }, 30_000);

  test('the worker makes the clip that the api was asked for', async () => {
    const clip = await eventually(async () => {
      const { body } = await user.call<{ items: VideoCard[] }>('GET', '/feed/latest');
      return body.items[0];
    }, 60_000);
    expect(clip.playlistUrl).toBeDefined();
  }, 70_000);
});
