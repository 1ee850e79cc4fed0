import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChatMessage, Conversation, UserProfile } from '@hvideo/protocol';
import { ApiUser, passwordOf } from '../support/api.ts';
import type { RunningApplication } from '../support/application.ts';
import { SdkUser } from '../support/chat-sdk.ts';
import { runCommunity } from '../support/community.ts';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/server.ts';
import { directOf, people } from '../support/stomp.ts';

let app: RunningApplication;
beforeAll(async () => {
  app = await runCommunity();
}, 60_000);
afterAll(() => app[Symbol.asyncDispose]());

const example = join(import.meta.dir, '..', '..', '..', 'client', 'examples', 'chat.ts');

async function nameOf(user: ApiUser): Promise<string> {
  return (await user.call<UserProfile>('GET', '/users/me')).body.username;
}

const textOf = ({ content }: ChatMessage) => (content.type === 'text' ? content.text : content.type);
const words = (count: number, who: string) => Array.from({ length: count }, (_, i) => `${who} ${i}`);

async function pair() {
  const [ann, bob] = await people(app.url, 2);
  const id = await directOf(ann!, bob!);
  const one = new SdkUser(app.url, ann!);
  const two = new SdkUser(app.url, bob!);
  for (const user of [one, two]) user.chat.conversation(id).subscribe(() => undefined);
  await eventually(async () => one.status.phase === 'online' && two.status.phase === 'online');
  return {
    ...{ id, ann: ann!, bob: bob!, one, two },
    [Symbol.asyncDispose]: async () => {
      await one.chat.close();
      await two.chat.close();
    },
  };
}

async function history(user: ApiUser, id: string): Promise<ChatMessage[]> {
  const all: ChatMessage[] = [];
  for (;;) {
    const after = all.at(-1)?.seq ?? 0;
    const { body } = await user.call<{ items: ChatMessage[] }>(
      'GET',
      `/conversations/${id}/messages?afterSeq=${after}&limit=200`,
    );
    if (body.items.length === 0) return all;
    all.push(...body.items);
  }
}

test('a message is sent, delivered and read, as its sender sees', async () => {
  await using p = await pair();
  const mine = p.one.chat.conversation(p.id);
  const states = new Set<string | null | undefined>();
  mine.subscribe(() => states.add(mine.snapshot().messages.at(-1)?.state));
  const { key } = mine.send({ type: 'text', text: 'hello \u{1F389}\n : \\' });
  await eventually(async () => p.two.got.length === 1);
  expect(textOf(p.two.got[0]!)).toBe('hello \u{1F389}\n : \\');
  await eventually(async () => mine.snapshot().messages.at(-1)?.state === 'delivered');
  p.two.chat.conversation(p.id).markRead();
  await eventually(async () => mine.snapshot().messages.at(-1)?.state === 'read');
  expect([...states]).toEqual(['sending', 'sent', 'delivered', 'read']);
  expect(mine.snapshot().messages.at(-1)?.key).toBe(key);
  expect(p.two.chat.conversations.snapshot().items[0]).toMatchObject({ id: p.id, unread: 0, headSeq: 1 });
  expect([...p.one.errors, ...p.two.errors]).toEqual([]);
}, 30_000);

test('sockets that break in the middle lose nothing and double nothing, in either direction', async () => {
  await using p = await pair();
  const mine = p.one.chat.conversation(p.id);
  const theirs = p.two.chat.conversation(p.id);
  for (let i = 0; i < 200; i += 1) {
    mine.send({ type: 'text', text: `ann ${i}` });
    theirs.send({ type: 'text', text: `bob ${i}` });
    if (i % 40 === 20) p.one.breakSockets();
    if (i % 50 === 30) p.two.breakSockets();
    if (i % 10 === 0) await eventually(async () => p.one.status.pending + p.two.status.pending < 60);
  }
  await eventually(async () => p.one.status.pending + p.two.status.pending === 0, 30_000);
  await eventually(async () => p.one.got.length === 200 && p.two.got.length === 200, 30_000);
  const stored = await history(p.ann, p.id);
  expect(stored.filter(({ senderId }) => senderId === p.ann.id).map(textOf)).toEqual(words(200, 'ann'));
  expect(stored.filter(({ senderId }) => senderId === p.bob.id).map(textOf)).toEqual(words(200, 'bob'));
  expect(p.one.got.map(textOf)).toEqual(words(200, 'bob'));
  expect(p.two.got.map(textOf)).toEqual(words(200, 'ann'));
  for (const user of [p.one, p.two]) {
    for (const { seq, text } of user.sent) expect(textOf(stored[seq - 1]!)).toBe(text);
    expect(user.errors).toEqual([]);
  }
}, 60_000);

test('without sockets the same goes over requests, and back', async () => {
  await using p = await pair();
  const mine = p.one.chat.conversation(p.id);
  p.one.blocksSockets = true;
  p.one.breakSockets();
  for (const text of words(20, 'ann')) mine.send({ type: 'text', text });
  await eventually(async () => p.one.status.phase === 'polling', 20_000);
  await eventually(async () => p.two.got.length === 20, 20_000);
  p.two.chat.conversation(p.id).send({ type: 'text', text: 'heard' });
  await eventually(async () => p.one.got.length === 1, 20_000);
  p.one.blocksSockets = false;
  await eventually(async () => p.one.status.phase === 'online', 20_000);
  mine.send({ type: 'text', text: 'back' });
  await eventually(async () => p.two.got.length === 21);
  expect((await history(p.ann, p.id)).map(textOf)).toEqual([...words(20, 'ann'), 'heard', 'back']);
}, 60_000);

test('a quote of a message that is still on its way arrives behind it, with its seq', async () => {
  await using p = await pair();
  const mine = p.one.chat.conversation(p.id);
  const question = mine.send({ type: 'text', text: 'question' });
  mine.send({ type: 'text', text: 'answer' }, { quote: question });
  await eventually(async () => p.two.got.length === 2);
  expect(p.two.got.map((message) => [textOf(message), message.quote])).toEqual([
    ['question', null],
    ['answer', 1],
  ]);
});

test('the example of the documentation runs', async () => {
  const [ann, bob] = await people(app.url, 2);
  const talk = async (me: ApiUser, other: ApiUser, text: string) => {
    const names = await Promise.all([me, other].map(nameOf));
    const child = Bun.spawn(
      [process.execPath, example, app.url, names[0]!, passwordOf(names[0]!), names[1]!, text, '2'],
      { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit', timeout: 30_000 },
    );
    const lines = (await child.stdout.text()).trim().split('\n');
    return { code: await child.exited, lines, names };
  };
  const [one, two] = await Promise.all([talk(ann!, bob!, 'Hello'), talk(bob!, ann!, 'Good morning')]);
  expect([one.code, two.code]).toEqual([0, 0]);
  expect(one.lines).toEqual(two.lines);
  expect(one.lines.map((line) => line.slice(2)).sort()).toEqual(
    [`${one.names[0]}: Hello`, `${one.names[1]}: Good morning`].sort(),
  );
}, 60_000);

test('a server killed while people write: nothing is lost or doubled, and the order is one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-chat-sdk-'));
  const env = { HVIDEO_LIMITS: 'false' };
  const first = await startServer(folder, { env });
  await using running = new AsyncDisposableStack();
  running.defer(() => rm(folder, { recursive: true, force: true }));
  const { port } = new URL(first.url);
  await new ApiUser(first.url).join('admin_of_all', '/instance/setup');
  const [ann, bob] = await people(first.url, 2);
  const id = await directOf(ann!, bob!);
  const one = running.use(new SdkUser(first.url, ann!));
  const two = running.use(new SdkUser(first.url, bob!));
  await eventually(async () => one.status.phase === 'online' && two.status.phase === 'online');
  const write = async (from: number, to: number) => {
    for (let i = from; i < to; i += 1) {
      one.chat.conversation(id).send({ type: 'text', text: `ann ${i}` });
      two.chat.conversation(id).send({ type: 'text', text: `bob ${i}` });
      if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await write(0, 100);
  await first.kill('SIGKILL');
  await write(100, 200);
  const second = running.use(await startServer(folder, { env, args: ['--port', port] }));
  expect(new URL(second.url).port).toBe(port);
  await write(200, 300);
  await eventually(async () => one.status.pending + two.status.pending === 0, 60_000);
  await eventually(async () => one.got.length === 300 && two.got.length === 300, 60_000);
  const stored = await history(ann!, id);
  expect(stored.filter(({ senderId }) => senderId === ann!.id).map(textOf)).toEqual(words(300, 'ann'));
  expect(stored.filter(({ senderId }) => senderId === bob!.id).map(textOf)).toEqual(words(300, 'bob'));
  for (const user of [one, two]) {
    for (const { seq, text } of user.sent) expect(textOf(stored[seq - 1]!)).toBe(text);
    expect(user.errors).toEqual([]);
  }
  const { body } = await ann!.call<{ items: Conversation[] }>('GET', '/conversations');
  expect(body.items[0]?.headSeq).toBe(600);
}, 180_000);
