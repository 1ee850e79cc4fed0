import { afterAll, beforeAll, expect, test } from 'bun:test';
import { type StompConfig, Versions } from '@stomp/stompjs';
import type { RunningApplication } from '../support/application.ts';
import { runCommunity } from '../support/community.ts';
import { eventually } from '../support/eventually.ts';
import { StompUser, stompPair } from '../support/stomp.ts';

let app: RunningApplication;
beforeAll(async () => {
  app = await runCommunity();
}, 60_000);
afterAll(() => app[Symbol.asyncDispose]());

const pair = (ack?: string, config?: StompConfig) => stompPair([app.url, app.url], ack, config);

test('connects with its defaults, and says who and where it is', async () => {
  await using p = await pair();
  const headers = p.one.connected?.headers ?? {};
  expect(headers).toMatchObject({ version: '1.2', 'heart-beat': '20000,20000', 'user-name': p.ann.id });
  expect(headers['device-id']).toMatch(/^\d+$/);
  expect(headers['session']).toBeTruthy();
  expect(headers['node']).toBeTruthy();
});

test('a receipt comes when the message is durable, and the message to whom it is for', async () => {
  await using p = await pair();
  const receipt = await p.one.say(p.conversation, 'hello \u{1F389} : \\', { 'client-seq': '1' });
  expect(receipt.headers).toMatchObject({ conversation: p.conversation, seq: '1' });
  const [row] = await app.db.sql`select id, seq, body from message where conversation_id = ${p.conversation}`;
  expect(row).toMatchObject({ id: receipt.headers['message-id'], seq: '1' });
  await eventually(async () => p.two.delivered.length === 1);
  expect(p.two.delivered[0]).toMatchObject({
    conversation: p.conversation,
    seq: 1,
    text: 'hello \u{1F389} : \\',
  });
  expect(p.two.delivered[0]?.message.headers).toMatchObject({
    ...{ sender: p.ann.id, 'client-seq': '1', 'message-id': receipt.headers['message-id'] },
    ...{ 'sender-device': p.one.connected?.headers['device-id'], timestamp: receipt.headers['timestamp'] },
  });
  expect(p.one.delivered).toEqual([]);
  const again = await p.one.say(p.conversation, 'hello \u{1F389} : \\', { 'client-seq': '1' });
  expect(again.headers).toMatchObject({ seq: '1', duplicate: 'true' });
});

test('what is refused comes as a problem, with its receipt’s name, and the connection goes on', async () => {
  await using p = await pair();
  const send = (headers: Record<string, string>, text = 'x') =>
    p.one.client.publish({
      destination: `/app/conversations/${p.conversation}`,
      body: JSON.stringify({ type: 'text', text }),
      headers: { receipt: 'odd', ...headers },
    });
  await p.one.say(p.conversation, 'first', { 'client-seq': '1' });
  send({ 'client-seq': '3' });
  await eventually(async () => p.one.errors.length === 1);
  expect(p.one.errors[0]?.headers).toMatchObject({ 'receipt-id': 'odd', 'expected-client-seq': '2' });
  expect(JSON.parse(p.one.errors[0]?.body ?? '')).toMatchObject({ code: 'out-of-turn', status: 409 });
  send({ 'client-seq': '1' }, 'another');
  await eventually(async () => p.one.errors.length === 2);
  expect(JSON.parse(p.one.errors[1]?.body ?? '')).toMatchObject({ code: 'chain-conflict' });
  expect((await p.one.say(p.conversation, 'second', { 'client-seq': '2' })).headers['seq']).toBe('2');
});

test.each(['client', 'client-individual'])(
  'mode %s: nothing is missed over a lost connection',
  async (ack) => {
    await using p = await pair(ack);
    for (let n = 1; n <= 5; n += 1) await p.one.say(p.conversation, `m${n}`);
    await eventually(async () => p.two.delivered.length === 5);
    p.two.acknowledges = false;
    await p.one.say(p.conversation, 'm6');
    await eventually(async () => p.two.delivered.length === 6);
    p.two.client.forceDisconnect();
    await p.one.say(p.conversation, 'm7');
    await eventually(async () => p.two.connects === 2);
    await p.one.say(p.conversation, 'm8');
    await eventually(async () => p.two.texts(p.conversation).includes('m8'));
    expect(p.two.texts(p.conversation)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm6', 'm7', 'm8']);
  },
);

test('mode auto: what was given does not come again', async () => {
  await using p = await pair('auto');
  await p.one.say(p.conversation, 'm1');
  await eventually(async () => p.two.delivered.length === 1);
  p.two.client.forceDisconnect();
  await eventually(async () => p.two.connects === 2);
  await p.one.say(p.conversation, 'm2');
  await eventually(async () => p.two.delivered.length === 2);
  expect(p.two.texts(p.conversation)).toEqual(['m1', 'm2']);
});

test('a message that was not accepted comes again with the next connection', async () => {
  await using p = await pair('client');
  p.two.acknowledges = false;
  await p.one.say(p.conversation, 'm1');
  await eventually(async () => p.two.delivered.length === 1);
  p.two.delivered[0]?.message.nack();
  p.two.client.forceDisconnect();
  await eventually(async () => p.two.delivered.length === 2);
});

test.each(['1.1', '1.0'])('version %s: escapes and acknowledgements of its own', async (version) => {
  await using p = await pair('client', { stompVersions: new Versions([version]) });
  expect(p.two.connected?.headers['version']).toBe(version);
  await p.one.say(p.conversation, 'a:b');
  await p.one.say(p.conversation, 'c');
  await eventually(async () => p.two.delivered.length === 2);
  await eventually(async () => {
    const [row] = await app.db
      .sql`select seq from chat_cursor where conversation_id = ${p.conversation} and device_id = ${p.two.connected?.headers['device-id'] ?? ''}`;
    return row?.['seq'] === '2';
  });
});

test('binary frames, and large ones in pieces', async () => {
  await using p = await pair('client', {
    forceBinaryWSFrames: true,
    splitLargeFrames: true,
    maxWebSocketChunkSize: 500,
  });
  const text = 'é'.repeat(3_000);
  const receipt = await p.one.say(p.conversation, text);
  expect(receipt.headers['seq']).toBe('1');
  await eventually(async () => p.two.delivered.length === 1);
  expect(p.two.delivered[0]?.text).toBe(text);
});

test('heart-beats go both ways', async () => {
  await using p = await pair('client', { heartbeatIncoming: 20_000, heartbeatOutgoing: 20_000 });
  expect(p.one.client.connected).toBe(true);
  expect(p.one.closes).toEqual([]);
});

test('requests of HTTP go over the socket, under the same login', async () => {
  await using p = await pair();
  p.one.client.publish({ destination: '/app/rpc/GET /users/me', headers: { 'correlation-id': 'me' } });
  p.one.client.publish({
    destination: `/app/rpc/PUT /conversations/${p.conversation}/read`,
    headers: { 'correlation-id': 'read' },
    body: JSON.stringify({ seq: 0 }),
  });
  p.one.client.publish({ destination: '/app/rpc/GET /nothing', headers: { 'correlation-id': 'none' } });
  await eventually(async () => p.one.replies.length === 3);
  const replies = new Map(
    p.one.replies.map(({ headers, body }) => [headers['correlation-id'], { headers, body }]),
  );
  expect(replies.get('me')?.headers['status']).toBe('200');
  expect(JSON.parse(replies.get('me')?.body ?? '')).toMatchObject({ id: p.ann.id });
  expect(replies.get('read')?.headers['status']).toBe('204');
  expect(replies.get('none')?.headers['status']).toBe('404');
});

test('a login that ends closes its sockets', async () => {
  await using p = await pair();
  expect((await p.one.client.connected) && (await p.ann.call('POST', '/auth/logout')).status).toBe(204);
  await eventually(async () => p.one.closes.length > 0);
  expect(p.one.closes[0]?.code).toBe(4002);
});

test('a newer connection of the same device takes over', async () => {
  await using p = await pair();
  await using other = await new StompUser(app.url, p.bob.accessToken, { reconnectDelay: 0 }).connect();
  await eventually(async () => p.two.closes.length > 0);
  expect(p.two.closes[0]?.code).toBe(4004);
  p.two.client.reconnectDelay = 0;
  await p.one.say(p.conversation, 'to the newer one');
  await eventually(async () => other.delivered.length + p.two.delivered.length > 0);
});
