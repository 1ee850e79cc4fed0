import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type {
  ChatMessage,
  Conversation,
  Member,
  MessageContent,
  Page,
  Problem,
  SendReceipt,
} from '@hvideo/protocol';
import { type Answer, ApiUser } from '../support/api.ts';
import type { RunningApplication } from '../support/application.ts';
import { depart, newcomers, runCommunity } from '../support/community.ts';
import { eventually } from '../support/eventually.ts';

let t: RunningApplication;
let lin: ApiUser;
let wei: ApiUser;
let mia: ApiUser;

beforeAll(async () => {
  t = await runCommunity();
}, 60_000);

afterAll(() => t[Symbol.asyncDispose]());

beforeEach(async () => {
  [lin, wei, mia] = await newcomers(t.url, 'lin', 'wei', 'mia');
}, 30_000);

const begin = (user: ApiUser, body: object, headers: Record<string, string> = {}) =>
  user.call<Conversation>('POST', '/conversations', { body, headers });
const direct = async (user: ApiUser, other: ApiUser) =>
  (await begin(user, { type: 'direct', memberIds: [other.id] })).body;
const group = async (user: ApiUser, ...others: ApiUser[]) =>
  (await begin(user, { type: 'group', memberIds: others.map(({ id }) => id), title: 'Us' })).body;
const say = (user: ApiUser, id: string, text: string, more: object = {}, headers = {}) =>
  user.call<SendReceipt>('POST', `/conversations/${id}/messages`, {
    body: { type: 'text', text, ...more },
    headers,
  });
const history = async (user: ApiUser, id: string, query = '') =>
  (await user.call<{ items: ChatMessage[]; headSeq: number }>('GET', `/conversations/${id}/messages${query}`))
    .body;
const textOf = ({ content }: ChatMessage) => (content.type === 'text' ? content.text : content.type);
const get = async (user: ApiUser, id: string) =>
  (await user.call<Conversation>('GET', `/conversations/${id}`)).body;
const codeOf = ({ body }: Answer<unknown>) => (body as Problem).code;
const done = async (user: ApiUser, method: string, path: string, body?: object) =>
  expect([path, (await user.call(method, path, body ? { body } : {})).status]).toEqual([path, 204]);
const refused = async (user: ApiUser, code: string, method: string, path: string, body?: object) =>
  expect([path, codeOf(await user.call(method, path, body ? { body } : {}))]).toEqual([path, code]);

describe('a direct chat', () => {
  test('is begun once, from either side', async () => {
    const first = await begin(lin, { type: 'direct', memberIds: [wei.id] });
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({
      ...{
        type: 'direct',
        title: null,
        memberCount: 2,
        headSeq: 0,
        readSeq: 0,
        unread: 0,
        lastMessage: null,
      },
      others: [{ id: wei.id }],
    });
    expect((await direct(lin, wei)).id).toBe(first.body.id);
    const other = await direct(wei, lin);
    expect([other.id, other.others.map(({ id }) => id)]).toEqual([first.body.id, [lin.id]]);
  });

  test('needs somebody else who is there', async () => {
    const to = (memberIds: string[]) => begin(lin, { type: 'direct', memberIds });
    expect(codeOf(await to([lin.id]))).toBe('cannot-target-self');
    expect(codeOf(await to(['1']))).toBe('not-found');
    expect(codeOf(await to([wei.id, mia.id]))).toBe('invalid-request');
    await t.db.sql`update account set suspended_at = now(), suspension_reason = 'x' where id = ${wei.id}`;
    expect(codeOf(await to([wei.id]))).toBe('not-found');
  });

  test('is refused where either has blocked the other, and so is each message', async () => {
    const { id } = await direct(lin, wei);
    await done(wei, 'PUT', `/users/${lin.id}/block`);
    expect(codeOf(await say(lin, id, 'hello?'))).toBe('blocked');
    expect(codeOf(await say(wei, id, 'hello?'))).toBe('blocked');
    await done(mia, 'PUT', `/users/${lin.id}/block`);
    expect(codeOf(await begin(lin, { type: 'direct', memberIds: [mia.id] }))).toBe('blocked');
    expect(codeOf(await begin(mia, { type: 'direct', memberIds: [lin.id] }))).toBe('blocked');
    await done(wei, 'DELETE', `/users/${lin.id}/block`);
    expect((await say(lin, id, 'hello')).status).toBe(200);
  });

  test('keeps its two people and has no title', async () => {
    const { id } = await direct(lin, wei);
    await refused(lin, 'forbidden', 'PATCH', `/conversations/${id}`, { title: 'x' });
    await refused(lin, 'forbidden', 'POST', `/conversations/${id}/members`, { memberIds: [mia.id] });
    await refused(lin, 'forbidden', 'DELETE', `/conversations/${id}/members/${lin.id}`);
  });
});

describe('a group', () => {
  test('is begun with a system message; the same request again begins no other', async () => {
    const body = { type: 'group', memberIds: [wei.id, mia.id, wei.id, lin.id], title: ' Us ' };
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const { body: made } = await begin(lin, body, headers);
    expect(made).toMatchObject({ type: 'group', title: 'Us', role: 'owner', memberCount: 3, headSeq: 1 });
    expect(made.others.map(({ id }) => id).toSorted()).toEqual([wei.id, mia.id].toSorted());
    expect(made.lastMessage?.content).toEqual({
      ...{ type: 'system', event: 'created', actorId: lin.id, title: 'Us' },
      accountIds: expect.arrayContaining([wei.id, mia.id]),
    });
    expect((await begin(lin, body, headers)).body.id).toBe(made.id);
    expect((await begin(lin, body)).body.id).not.toBe(made.id);
  });

  test('has members who bring others, an owner who takes them out, and whoever leaves', async () => {
    const { id } = await group(lin, wei);
    await say(lin, id, 'before');
    await done(wei, 'POST', `/conversations/${id}/members`, { memberIds: [mia.id] });
    await done(wei, 'POST', `/conversations/${id}/members`, { memberIds: [mia.id] });
    expect(await get(mia, id)).toMatchObject({ joinedSeq: 2, headSeq: 3, memberCount: 3, role: 'member' });
    await refused(wei, 'forbidden', 'DELETE', `/conversations/${id}/members/${mia.id}`);
    await done(lin, 'DELETE', `/conversations/${id}/members/${mia.id}`);
    await refused(mia, 'not-found', 'GET', `/conversations/${id}`);
    await done(lin, 'DELETE', `/conversations/${id}/members/${lin.id}`);
    expect(await get(wei, id)).toMatchObject({ role: 'owner', memberCount: 1 });
    const events = (await history(wei, id)).items.map(({ content }) =>
      'event' in content ? content.event : '',
    );
    expect(events as string[]).toEqual(['created', '', 'joined', 'removed', 'left']);
  });

  test('takes nobody who is not there, blocked or suspended', async () => {
    const { id } = await group(lin, wei);
    const add = (memberId: string) => ({ memberIds: [memberId] });
    await refused(lin, 'not-found', 'POST', `/conversations/${id}/members`, add('1'));
    await done(mia, 'PUT', `/users/${lin.id}/block`);
    await refused(lin, 'blocked', 'POST', `/conversations/${id}/members`, add(mia.id));
    await t.db.sql`update account set suspended_at = now(), suspension_reason = 'x' where id = ${mia.id}`;
    await refused(wei, 'not-found', 'POST', `/conversations/${id}/members`, add(mia.id));
  });

  test('is renamed by its members', async () => {
    const { id } = await group(lin, wei);
    await done(wei, 'PATCH', `/conversations/${id}`, { title: 'All of us' });
    expect(await get(lin, id)).toMatchObject({
      title: 'All of us',
      lastMessage: { content: { type: 'system', event: 'renamed', actorId: wei.id, title: 'All of us' } },
    });
  });

  test('lists its members page by page, with what each has got and read', async () => {
    const { id } = await group(lin, wei, mia);
    await say(lin, id, 'one');
    await done(wei, 'PUT', `/conversations/${id}/read`, { seq: 2 });
    const seen: Member[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = `limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
      const { body } = await lin.call<Page<Member>>('GET', `/conversations/${id}/members?${query}`);
      seen.push(...body.items);
      cursor = body.nextCursor;
    }
    expect(seen.map(({ user }) => user.id)).toEqual(
      [lin.id, wei.id, mia.id].toSorted((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)),
    );
    expect(seen.find(({ user }) => user.id === wei.id)).toMatchObject({ readSeq: 2, role: 'member' });
    expect(seen.find(({ user }) => user.id === lin.id)).toMatchObject({ readSeq: 0, role: 'owner' });
  });
});

describe('whoever is no member', () => {
  test('finds nothing, whatever is asked', async () => {
    const { id } = await group(lin, wei);
    const at = `/conversations/${id}`;
    await refused(mia, 'not-found', 'GET', at);
    await refused(mia, 'not-found', 'PATCH', at, { title: 'x' });
    await refused(mia, 'not-found', 'GET', `${at}/messages`);
    await refused(mia, 'not-found', 'POST', `${at}/messages`, { type: 'text', text: 'x' });
    await refused(mia, 'not-found', 'PUT', `${at}/read`, { seq: 1 });
    await refused(mia, 'not-found', 'GET', `${at}/members`);
    await refused(mia, 'not-found', 'POST', `${at}/members`, { memberIds: [mia.id] });
    await refused(mia, 'not-found', 'DELETE', `${at}/members/${mia.id}`);
    await refused(mia, 'not-found', 'DELETE', `${at}/members/${wei.id}`);
    for (const [method, path] of [
      ['GET', '/conversations'],
      ['GET', at],
      ['GET', '/chat/sync'],
      ['POST', `${at}/messages`],
    ] as const)
      expect(
        (await new ApiUser(t.url).call(method, path, { ...(method === 'POST' && { body: {} }) })).status,
      ).toBe(401);
  });
});

describe('messages', () => {
  test('of every kind are kept as they were said', async () => {
    const { id } = await direct(lin, wei);
    const contents: MessageContent[] = [
      { type: 'text', text: ' hello\tthere\r\n' },
      { type: 'image', url: '/media/x.jpg', width: 10, height: 20 },
      { type: 'video', videoId: '123' },
      { type: 'custom', name: 'poll', data: { a: [1, null, 'x'], b: { c: true } } },
    ];
    for (const content of contents) {
      const { status } = await lin.call('POST', `/conversations/${id}/messages`, { body: content });
      expect(status).toBe(200);
    }
    const { items, headSeq } = await history(wei, id);
    expect(items.map(({ content }) => content)).toEqual(contents);
    expect([headSeq, items.map(({ seq }) => seq)]).toEqual([4, [1, 2, 3, 4]]);
    expect(items[0]).toMatchObject({ conversationId: id, senderId: lin.id, clientSeq: null, quote: null });
    expect(items[0]?.senderDevice).toMatch(/^\d+$/);
  });

  test('that do not fit are refused', async () => {
    const { id } = await direct(lin, wei);
    for (const text of ['', '   ', 'a\u0000b', '\u0007', '\ud800', 'x'.repeat(4_001)])
      expect([text.slice(0, 5), codeOf(await say(lin, id, text))]).toEqual([
        text.slice(0, 5),
        'invalid-request',
      ]);
    expect((await say(lin, id, '\u{1F3AC}'.repeat(4_000))).status).toBe(200);
    const system = { type: 'system', event: 'created', actorId: lin.id };
    await refused(lin, 'invalid-request', 'POST', `/conversations/${id}/messages`, system);
  });

  test('of a chain are stored once, in their order', async () => {
    const { id } = await direct(lin, wei);
    const turn = (clientSeq: number, more: object = {}) => ({
      deviceId: 'phone',
      chain: 'c1',
      clientSeq,
      ...more,
    });
    const { body: first } = await say(lin, id, 'one', turn(1, { preId: '0' }));
    expect(first).toMatchObject({ conversationId: id, seq: 1, duplicate: false });
    expect((await say(lin, id, 'one', turn(1))).body).toEqual({ ...first, duplicate: true });
    expect(codeOf(await say(lin, id, 'other', turn(1)))).toBe('chain-conflict');
    expect((await say(lin, id, 'three', turn(3))).body as unknown).toMatchObject({
      ...{ code: 'out-of-turn', expectedClientSeq: 2, expectedPreId: first.id },
    });
    const { body: second } = await say(lin, id, 'two', turn(2, { preId: first.id, quote: 1 }));
    expect(second.seq).toBe(2);
    const { body: third } = await say(lin, id, 'again', turn(3, { quote: 'c1:2' }));
    expect((await history(wei, id)).items.map(({ quote }) => quote)).toEqual([null, 1, 2]);
    expect(codeOf(await say(lin, id, 'x', turn(4, { quote: 99 })))).toBe('quote-unknown');
    expect((await say(lin, id, 'y', turn(5))).body.seq).toBe(third.seq + 1);
  });

  test('without a chain, but with a key for the request, too', async () => {
    const { id } = await direct(lin, wei);
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const { body: first } = await say(lin, id, 'one', {}, headers);
    expect((await say(lin, id, 'one', {}, headers)).body).toEqual({ ...first, duplicate: true });
    expect((await say(lin, id, 'one')).body.seq).toBe(2);
  });

  test('are read after one, before one, or the newest; none from before one came', async () => {
    const { id } = await group(lin, wei);
    for (let n = 2; n <= 9; n++) await say(lin, id, `m${n}`);
    const read = async (user: ApiUser, query: string) => (await history(user, id, query)).items.map(textOf);
    expect(await read(wei, '?limit=3')).toEqual(['m7', 'm8', 'm9']);
    expect(await read(wei, '?beforeSeq=7&limit=2')).toEqual(['m5', 'm6']);
    expect(await read(wei, '?afterSeq=0&limit=2')).toEqual(['system', 'm2']);
    expect(await read(wei, '?afterSeq=8')).toEqual(['m9']);
    expect(await read(wei, '?afterSeq=3&beforeSeq=6')).toEqual(['m4', 'm5']);
    expect(await read(wei, '?afterSeq=9')).toEqual([]);
    expect(await read(wei, '?beforeSeq=1')).toEqual([]);
    await done(lin, 'POST', `/conversations/${id}/members`, { memberIds: [mia.id] });
    await say(lin, id, 'welcome');
    expect(await read(mia, '?afterSeq=0')).toEqual(['system', 'welcome']);
    expect(await read(mia, '?beforeSeq=9')).toEqual([]);
    expect(await history(mia, id)).toMatchObject({ headSeq: 11 });
  });
});

describe('conversations', () => {
  test('are listed by their newest message, page by page', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push((await group(lin, wei)).id);
    await say(wei, ids[1] ?? '', 'news');
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = `limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
      const { body } = await lin.call<Page<Conversation>>('GET', `/conversations?${query}`);
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual([ids[1], ids[4], ids[3], ids[2], ids[0]].map((id) => id ?? ''));
    await refused(wei, 'invalid-cursor', 'GET', '/conversations?cursor=x.y');
  });

  test('tell what is unread, until it was read on any device; marks never go back', async () => {
    const { id } = await direct(lin, wei);
    const unread = async () => [
      (await get(wei, id)).unread,
      (await wei.call<{ conversations: number }>('GET', '/chat/unread')).body.conversations,
    ];
    await say(lin, id, 'one');
    await say(lin, id, 'two');
    await say(wei, id, 'three');
    expect(await unread()).toEqual([2, 1]);
    await done(wei, 'PUT', `/conversations/${id}/read`, { seq: 1 });
    expect(await unread()).toEqual([1, 1]);
    await done(wei, 'PUT', `/conversations/${id}/read`, { seq: 1_000 });
    expect([await unread(), (await get(wei, id)).readSeq]).toEqual([[0, 0], 3]);
    await done(wei, 'PUT', `/conversations/${id}/read`, { seq: 2 });
    expect((await get(wei, id)).readSeq).toBe(3);
    expect((await get(lin, id)).unread).toBe(1);
  });
});

describe('whoever leaves the community', () => {
  test('leaves every conversation, and what they said is deleted', async () => {
    const { id: pair } = await direct(lin, wei);
    const { id: us } = await group(lin, wei, mia);
    const { id: alone } = await direct(lin, mia);
    await say(lin, pair, 'secret');
    await say(wei, pair, 'answer');
    await say(lin, us, 'all');
    await say(lin, alone, 'to one who has gone too');
    expect((await depart(mia)).status).toBe(204);
    expect((await depart(lin)).status).toBe(204);
    const kinds = async (id: string) => (await history(wei, id)).items.map(textOf);
    await eventually(
      async () => (await kinds(us)).at(1) === 'deleted' && (await kinds(pair))[0] === 'deleted',
    );
    expect(await kinds(pair)).toEqual(['deleted', 'answer']);
    expect((await history(wei, us)).items.map(({ content }) => content)).toMatchObject([
      { type: 'system', event: 'created' },
      { type: 'deleted' },
      { type: 'system', event: 'left', actorId: mia.id },
      { type: 'system', event: 'left', actorId: lin.id },
    ]);
    expect(await get(wei, us)).toMatchObject({ role: 'owner', memberCount: 1, others: [] });
    expect(await get(wei, pair)).toMatchObject({ others: [], memberCount: 1 });
    await eventually(
      async () => (await t.db.sql`select from message where conversation_id = ${alone}`).length === 0,
    );
    expect(await t.db.sql`select from conversation where id = ${alone}`).toEqual([]);
    expect(await t.features.chatRecords.audit()).toEqual([]);
  });

  test('does so while others write, come and go', async () => {
    const groups = await Promise.all(Array.from({ length: 4 }, () => group(lin, wei)));
    const [left, ...answers] = await Promise.all([
      depart(lin),
      ...groups.flatMap(({ id }) => [
        ...Array.from({ length: 8 }, (_, n) => say(wei, id, `${n}`)),
        wei.call('POST', `/conversations/${id}/members`, { body: { memberIds: [mia.id] } }),
        wei.call('PATCH', `/conversations/${id}`, { body: { title: 'Another' } }),
      ]),
    ]);
    expect([left.status, answers.filter(({ status }) => status >= 300)]).toEqual([204, []]);
    for (const { id } of groups) expect((await get(wei, id)).memberCount).toBe(2);
    expect(await t.features.chatRecords.audit()).toEqual([]);
  });

  test('may take along what they said', async () => {
    const { id } = await group(lin, wei);
    await say(lin, id, 'mine');
    await say(wei, id, 'yours');
    const parts: Record<string, unknown> = {};
    for await (const { path, body } of t.features.chatRecords.accountPart.exportData(lin.id))
      parts[path] =
        Symbol.asyncIterator in (body as object)
          ? await Array.fromAsync(body as AsyncIterable<unknown>)
          : body;
    expect(parts).toMatchObject({
      'conversations.json': [{ id, type: 'group', title: 'Us', role: 'owner' }],
      'messages.json': [{ conversationId: id, seq: 2, content: { type: 'text', text: 'mine' } }],
    });
  });
});

test('what was written offline may come at once, but no more than that', async () => {
  await using limited = await runCommunity({ HVIDEO_LIMITS: 'true' });
  const [ann, bob] = await newcomers(limited.url, 'ann', 'bob');
  const { id } = await direct(ann, bob);
  const answers = await Promise.all(Array.from({ length: 300 }, (_, n) => say(ann, id, `${n}`)));
  const sent = answers.filter(({ status }) => status === 200).length;
  expect([sent >= 200, sent < 300]).toEqual([true, true]);
  expect(codeOf(answers.find(({ status }) => status !== 200)!)).toBe('rate-limited');
  expect((await say(bob, id, 'and you?')).status).toBe(200);
}, 60_000);

test('the audit finds what does not fit', async () => {
  const { id } = await group(lin, wei);
  await say(lin, id, 'one');
  expect(await t.features.chatRecords.audit()).toEqual([]);
  const broken = async (change: () => Promise<unknown>, back: () => Promise<unknown>, what: string) => {
    await change();
    const drifts = (await t.features.chatRecords.audit()).map((drift) => drift.what);
    expect(
      drifts
        .map((drift) => drift.split(' ')[0])
        .toSorted()
        .join(' '),
    ).toBe(what);
    await back();
  };
  const { sql } = t.db;
  await broken(
    async () => sql`update message set seq = 3 where conversation_id = ${id} and seq = 2`,
    async () => sql`update message set seq = 2 where conversation_id = ${id} and seq = 3`,
    'head newest unread',
  );
  await broken(
    async () => sql`update conversation_member set read_seq = 5 where conversation_id = ${id}`,
    async () => sql`update conversation_member set read_seq = 0 where conversation_id = ${id}`,
    'a',
  );
  await broken(
    async () => sql`update chat_event_head set pts = pts + 1 where account_id = ${lin.id}`,
    async () => sql`update chat_event_head set pts = pts - 1 where account_id = ${lin.id}`,
    'events',
  );
  expect(await t.features.chatRecords.audit()).toEqual([]);
});
