import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { header, StompDecoder, type StompFrame } from '@hvideo/protocol/stomp';
import fc from 'fast-check';
import { streams } from '../../../protocol/test/stomp-noise.ts';
import type { ApiUser } from '../support/api.ts';
import type { RunningApplication } from '../support/application.ts';
import { runCommunity } from '../support/community.ts';
import { eventually } from '../support/eventually.ts';
import { directOf, people, StompUser, socketUrl } from '../support/stomp.ts';

let app: RunningApplication;
let ann: ApiUser;
let bob: ApiUser;
let conversation: string;
/** Somebody else, who must not notice anything. */
let witness: { one: StompUser; two: StompUser; conversation: string };

beforeAll(async () => {
  app = await runCommunity({ HVIDEO_LIMITS: 'true' });
  [ann, bob] = (await people(app.url, 2)) as [ApiUser, ApiUser];
  conversation = await directOf(ann, bob);
  const [cid, dan] = (await people(app.url, 2)) as [ApiUser, ApiUser];
  witness = {
    one: await new StompUser(app.url, cid.accessToken).connect(),
    two: await new StompUser(app.url, dan.accessToken).connect(),
    conversation: await directOf(cid, dan),
  };
}, 60_000);
afterAll(async () => {
  await witness.one[Symbol.asyncDispose]();
  await witness.two[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

async function undisturbed(): Promise<void> {
  const text = `still here ${crypto.randomUUID()}`;
  await witness.one.say(witness.conversation, text);
  await eventually(async () => witness.two.texts(witness.conversation).includes(text));
  expect(witness.one.connects + witness.two.connects).toBe(2);
}

/** A WebSocket without a client: what is sent is what is written. */
class Raw implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly frames: StompFrame[] = [];
  readonly #decoder = new StompDecoder({ from: 'server' });
  close: { code: number; reason: string } | undefined;

  constructor(query = '', headers: Record<string, string> = {}) {
    const options = { protocols: ['v12.stomp'], headers } as unknown as string[];
    this.socket = new WebSocket(`${socketUrl(app.url)}${query}`, options);
    this.socket.onmessage = ({ data }) => {
      this.#decoder.push(data as string);
      for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) this.frames.push(frame);
    };
    this.socket.onclose = ({ code, reason }) => {
      this.close = { code, reason };
    };
  }

  async opened(): Promise<this> {
    await eventually(async () => this.socket.readyState === WebSocket.OPEN || this.close !== undefined);
    return this;
  }

  async connected(user: ApiUser, more = ''): Promise<this> {
    await this.opened();
    this.socket.send(`CONNECT\naccept-version:1.2\npasscode:${user.accessToken}\n\n\0${more}`);
    await eventually(async () => this.frames.some(({ command }) => command === 'CONNECTED'));
    return this;
  }

  async ended(): Promise<{ code: number; message: string | undefined }> {
    await eventually(async () => this.close !== undefined, 20_000);
    const error = this.frames.find(({ command }) => command === 'ERROR');
    return { code: this.close!.code, message: error && header(error, 'message') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
  }
}

const listen = 'SUBSCRIBE\nid:e\ndestination:/user/queue/errors\nreceipt:listening\n\n\0';
const codesOf = (raw: Raw) =>
  raw.frames
    .filter((frame) => header(frame, 'subscription') === 'e')
    .map((frame) => JSON.parse(frame.text).code);

const malformed: Record<string, [frames: string, message: string, code: number]> = {
  'an unknown command': ['HELLO\n\n\0', 'unknown-command', 4000],
  'a header without a colon': ['SEND\nnothing\n\n\0', 'malformed-header', 4000],
  'an escape that there is none of': ['SEND\na:\\x\n\n\0', 'undefined-escape', 4000],
  'a length that lies': ['SEND\ndestination:/a\ncontent-length:3\n\nabcdef\0', 'missing-nul', 4000],
  'a gigabyte announced': ['SEND\ndestination:/a\ncontent-length:1000000000\n\nx', 'body-too-large', 4008],
  'too many headers': [`SEND\n${'a:b\n'.repeat(40)}\n\0`, 'too-many-headers', 4008],
  'a header without end': [`SEND\na:${'b'.repeat(9_000)}`, 'header-line-too-long', 4008],
  'a second CONNECT': ['CONNECT\naccept-version:1.2\n\n\0', 'already-connected', 4000],
  'a transaction': ['BEGIN\ntransaction:t\n\n\0', 'transactions-unsupported', 4000],
  'somebody else’s queue': [
    'SUBSCRIBE\nid:1\ndestination:/user/4711/queue/messages\n\n\0',
    'unknown-destination',
    4000,
  ],
  'a wildcard': ['SUBSCRIBE\nid:1\ndestination:/user/queue/>\n\n\0', 'unknown-destination', 4000],
  'a subscription without a name': [
    'SUBSCRIBE\ndestination:/user/queue/events\n\n\0',
    'missing-header',
    4000,
  ],
  'a mode of its own': [
    'SUBSCRIBE\nid:1\ndestination:/user/queue/messages\nack:maybe\n\n\0',
    'invalid-ack-mode',
    4000,
  ],
  'a queue twice': [
    'SUBSCRIBE\nid:1\ndestination:/user/queue/events\n\n\0SUBSCRIBE\nid:2\ndestination:/user/queue/events\n\n\0',
    'already-subscribed',
    4000,
  ],
};

test.each(Object.entries(malformed))('%s: an ERROR, and the end', async (_name, [frames, message, code]) => {
  await using raw = await new Raw().connected(ann, frames);
  expect(await raw.ended()).toEqual({ code, message });
});

test('who is not known gets no further', async () => {
  for (const [query, connect, expected] of [
    ['', 'CONNECT\naccept-version:1.2\n\n\0', { code: 4001, message: 'unauthenticated' }],
    [
      '?token=nonsense',
      'CONNECT\naccept-version:1.2\npasscode:nonsense\n\n\0',
      { code: 4001, message: 'unauthenticated' },
    ],
    ['', listen, { code: 4000, message: 'not-connected' }],
    ['', 'CONNECT\naccept-version:3.0\n\n\0', { code: 4010, message: 'unsupported-version' }],
    ['', 'CONNECT\naccept-version:1.2\ndevice-id:a b\n\n\0', { code: 4000, message: 'invalid-device-id' }],
  ] as const) {
    await using raw = await new Raw(query).opened();
    raw.socket.send(connect);
    expect(await raw.ended()).toEqual(expected);
  }
});

test('a login by header, by cookie and by the address; a page of another site has none', async () => {
  const token = ann.accessToken ?? '';
  for (const [query, headers] of [
    ['', { authorization: `Bearer ${token}` }],
    ['', { cookie: `hvideo_session=${token}` }],
    ['', { cookie: `hvideo_session=${token}`, origin: app.url }],
    [`?token=${token}`, { origin: 'https://elsewhere.example' }],
  ] as const) {
    await using raw = await new Raw(query, headers).opened();
    raw.socket.send('CONNECT\naccept-version:1.2\n\n\0');
    await eventually(async () => raw.frames.some(({ command }) => command === 'CONNECTED'));
  }
  const cookie = `hvideo_session=${token}`;
  await using raw = await new Raw('', { cookie, origin: 'https://elsewhere.example' }).opened();
  expect(await raw.ended()).toEqual({ code: 4003, message: 'cross-origin' });
});

test('what is not for one to say is refused, and the connection goes on', async () => {
  await using raw = await new Raw().connected(ann, listen);
  const send = (to: string, body: string, headers = '') =>
    raw.socket.send(
      `SEND\ndestination:/app/conversations/${to}\n${headers}content-length:${Buffer.byteLength(body)}\n\n${body}\0`,
    );
  const text = (value: string) => JSON.stringify({ type: 'text', text: value });
  const cases: [to: string, body: string, headers: string, code: string][] = [
    [witness.conversation, text('not mine'), '', 'not-found'],
    ['999', text('nowhere'), '', 'not-found'],
    ['1e3', text('no id'), '', 'not-found'],
    [conversation, '{"type":"text","text":"\\u0000"}', '', 'message-invalid'],
    [conversation, '{"type":"text","text":"\\ud800"}', '', 'message-invalid'],
    [conversation, 'no json', '', 'message-invalid'],
    [conversation, text('x'.repeat(5_000)), '', 'message-invalid'],
    [conversation, text('x'), 'client-seq:-1\n', 'invalid-request'],
    [conversation, text('x'), 'client-seq:1e3\n', 'invalid-request'],
    [conversation, text('x'), 'client-seq:9\n', 'out-of-turn'],
    [conversation, text('x'), 'client-seq:1\npre-id:77\n', 'out-of-turn'],
  ];
  for (const [index, [to, body, headers, code]] of cases.entries()) {
    send(to, body, headers);
    await eventually(async () => codesOf(raw).length > index);
    expect([index, codesOf(raw)[index]]).toEqual([index, code]);
  }
  raw.socket.send('SEND\ndestination:/queue/other\n\nx\0');
  await eventually(async () => codesOf(raw).at(-1) === 'not-found');
  expect(raw.close).toBeUndefined();
  await undisturbed();
});

test('requests over a socket are those of the login as it stands, and of public endpoints nobody’s', async () => {
  const [eve] = (await people(app.url, 1)) as [ApiUser];
  const setRole = (role: string) => app.db.sql`update account set role = ${role} where id = ${eve.id}`;
  await setRole('admin');
  await using raw = await new Raw().connected(eve, 'SUBSCRIBE\nid:r\ndestination:/user/queue/replies\n\n\0');
  const ask = async (target: string) => {
    const name = crypto.randomUUID();
    raw.socket.send(`SEND\ndestination:/app/rpc/${target}\ncorrelation-id:${name}\n\n\0`);
    const reply = () => raw.frames.find((frame) => header(frame, 'correlation-id') === name);
    await eventually(async () => reply() !== undefined);
    return header(reply()!, 'status');
  };
  expect(await ask('GET /users/%E0%A4%A')).toBe('400');
  expect(await ask('GET /operations')).toBe('200');
  await app.features.accounts.administration.setRole(eve.id, 'user');
  expect(await ask('GET /operations')).toBe('403');
  expect(raw.close).toBeUndefined();
});

test('nobody makes devices without end, each with a row for every conversation', async () => {
  const [eve] = (await people(app.url, 1)) as [ApiUser];
  const sync = async (device: string) => (await eve.call('GET', `/chat/sync?device=${device}`)).status;
  const answers: number[] = [];
  for (let n = 0; n < 130; n += 1) answers.push(await sync(`device-${n}`));
  expect(answers.slice(0, 100).every((status) => status === 200)).toBe(true);
  expect(answers.at(-1)).toBe(429);
  // Who is known is not held up by it.
  expect(await sync('device-99')).toBe(200);
  await using raw = await new Raw().opened();
  raw.socket.send(`CONNECT\naccept-version:1.2\npasscode:${eve.accessToken}\ndevice-id:one-more\n\n\0`);
  expect(await raw.ended()).toEqual({ code: 4502, message: 'rate-limited' });
});

test('lone surrogates and bytes that are no text end the connection', async () => {
  await using raw = await new Raw().connected(ann);
  const frame = Buffer.from('SEND\ndestination:/app/conversations/1\ncontent-length:2\n\n..\0');
  frame[frame.length - 3] = 0xed;
  frame[frame.length - 2] = 0xa0;
  raw.socket.send(frame);
  expect(await raw.ended()).toMatchObject({ code: 4000, message: 'invalid-utf8' });
});

test('noise of every kind is answered or ends its connection, and nothing else happens', async () => {
  const ends = new Set<number>();
  for (const stream of fc.sample(streams, 60)) {
    await using raw = await new Raw().connected(bob);
    raw.socket.send(stream);
    // What is whole is answered before this; half a frame may swallow it.
    raw.socket.send('\0\nUNSUBSCRIBE\nid:none\nreceipt:over\n\n\0');
    await eventually(async () => raw.close !== undefined || raw.frames.length > 1, 300).catch(() => {});
    if (raw.close) ends.add(raw.close.code);
    const commands = raw.frames.map(({ command }) => command);
    expect(commands.every((command) => ['CONNECTED', 'RECEIPT', 'ERROR', 'MESSAGE'].includes(command))).toBe(
      true,
    );
  }
  expect([...ends].filter((code) => ![4000, 4008, 1000].includes(code))).toEqual([]);
  expect(ends.has(4000)).toBe(true);
  await undisturbed();
}, 60_000);

test('a million tiny frames are cut off, and so are a thousand subscriptions', async () => {
  await using raw = await new Raw().connected(ann);
  const many = 'ACK\nid:1-1\n\n\0'.repeat(900);
  for (let n = 0; n < 1_112 && raw.close === undefined; n += 1) {
    raw.socket.send(many);
    if (n % 50 === 0) await Bun.sleep(1);
  }
  expect(await raw.ended()).toEqual({ code: 4009, message: 'rate-limited' });
  await using other = await new Raw().connected(ann);
  for (let n = 0; n < 1_000; n += 1)
    other.socket.send(`SUBSCRIBE\nid:${n}\ndestination:/user/queue/messages\n\n\0`);
  expect(await other.ended()).toMatchObject({ code: 4000, message: 'already-subscribed' });
  await undisturbed();
});

test('who says too much is told to wait', async () => {
  const [eve] = (await people(app.url, 1)) as [ApiUser];
  const own = await directOf(eve, bob);
  await using raw = await new Raw().connected(eve, listen);
  const send = `SEND\ndestination:/app/conversations/${own}\n\n{"type":"text","text":"spam"}\0`;
  for (let n = 0; n < 6; n += 1) raw.socket.send(send.repeat(50));
  await eventually(async () => codesOf(raw).includes('rate-limited'));
  const refusal = raw.frames.find((frame) => header(frame, 'code') === 'rate-limited');
  expect(Number(header(refusal!, 'retry-after'))).toBeGreaterThan(0);
  expect(raw.close).toBeUndefined();
  for (let n = 0; n < 12; n += 1) raw.socket.send(send.repeat(50));
  expect((await raw.ended()).code).toBe(4009);
  await undisturbed();
});

/** One that connects, subscribes and then reads no more: what is sent stays in the buffers of both ends. */
async function deafClient(user: ApiUser): Promise<Socket> {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  const masked = (text: string) => {
    const bytes = Buffer.from(text);
    const head = Buffer.from([0x81, 0x80 | 126, bytes.length >> 8, bytes.length & 0xff, 0, 0, 0, 0]);
    return Buffer.concat([head, bytes]);
  };
  let heard = '';
  socket.on('data', (data) => {
    heard += String(data);
  });
  const upgrade = `GET /ws?token=${user.accessToken} HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
  socket.write(`${upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`);
  await eventually(async () => heard.includes('101 '));
  const frames = 'SUBSCRIBE\nid:m\ndestination:/user/queue/messages\nack:auto\nreceipt:subscribed\n\n\0';
  socket.write(masked(`CONNECT\naccept-version:1.2\n\n\0${frames}`));
  await eventually(async () => heard.includes('subscribed'));
  socket.pause();
  return socket;
}

test('one that does not read is behind, takes no memory, and keeps nobody from reading', async () => {
  const [fay, guy] = (await people(app.url, 2)) as [ApiUser, ApiUser];
  const own = await directOf(fay, guy);
  const socket = await deafClient(guy);
  const { committer, delivery } = app.features.chat;
  const body = JSON.stringify({ type: 'text', text: '\u4f60'.repeat(3_900) });
  const say = () => committer.send({ conversationId: own, senderId: fay.id, deviceId: '1', body });
  const before = process.memoryUsage().rss;
  for (let n = 0; n < 60 && delivery.stats.behind === 0; n += 1)
    await Promise.all(Array.from({ length: 20 }, say));
  expect(delivery.stats.behind).toBe(1);
  for (let n = 0; n < 10; n += 1) await Promise.all(Array.from({ length: 20 }, say));
  expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  await undisturbed();
  socket.destroy();
  await eventually(async () => delivery.stats.behind === 0);
});

test('a frame of a gigabyte is not taken in', async () => {
  await using raw = await new Raw().connected(ann);
  const piece = 'z'.repeat(100_000);
  raw.socket.send('SEND\ndestination:/app/conversations/1\n\n');
  for (let n = 0; n < 100 && raw.close === undefined; n += 1) {
    raw.socket.send(piece);
    await Bun.sleep(0);
  }
  expect(await raw.ended()).toMatchObject({ code: 4008 });
  await using large = await new Raw().connected(ann);
  large.socket.send('z'.repeat(1 << 20));
  await eventually(async () => large.close !== undefined);
  await undisturbed();
});
