import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import type { Conversation, Member, Page, Problem, SyncAnswer } from '@hvideo/protocol';
import { MAX_WAITING_OF_ACCOUNT } from '../../src/features/chat/sync/waiting.ts';
import { ApiUser, passwordOf } from '../support/api.ts';
import type { RunningApplication } from '../support/application.ts';
import { newcomers, runCommunity } from '../support/community.ts';
import { eventually } from '../support/eventually.ts';
import { Snowflakes } from '../support/snowflakes.ts';

let t: RunningApplication;
let lin: ApiUser;
let wei: ApiUser;
let mia: ApiUser;
const ids = new Snowflakes();

beforeAll(async () => {
  t = await runCommunity();
}, 60_000);

afterAll(() => t[Symbol.asyncDispose]());

beforeEach(async () => {
  [lin, wei, mia] = await newcomers(t.url, 'lin', 'wei', 'mia');
}, 30_000);

async function begin(user: ApiUser, type: 'direct' | 'group', ...others: ApiUser[]): Promise<string> {
  const body = { type, memberIds: others.map(({ id }) => id) };
  return (await user.call<Conversation>('POST', '/conversations', { body })).body.id;
}

async function say(user: ApiUser, id: string, text: string): Promise<void> {
  const body = { type: 'text', text };
  expect((await user.call('POST', `/conversations/${id}/messages`, { body })).status).toBe(200);
}

const sync = async (user: ApiUser, query: Record<string, string | number> = {}) => {
  const text = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  );
  const { status, body } = await user.call<SyncAnswer>('GET', `/chat/sync?${text}`);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body;
};
/** Conversation and seqs of what came. */
const seqsOf = ({ conversations }: SyncAnswer) =>
  conversations.map(({ conversationId, messages }) => [conversationId, messages.map(({ seq }) => seq)]);
const codeOf = async (user: ApiUser, query: string) =>
  (await user.call<Problem>('GET', `/chat/sync?${query}`)).body.code;

/** As many messages as nobody wants to say one by one. */
async function fill(id: string, sender: ApiUser, count: number, bodyLength = 10): Promise<void> {
  const body = JSON.stringify({ type: 'text', text: 'x'.repeat(bodyLength) });
  const first = ids.next();
  await t.db.transaction(async (tx) => {
    const [head] = await tx<{ seq: string }>`
      select seq from conversation_head where conversation_id = ${id} for update`;
    await tx`
      insert into message (conversation_id, seq, id, sender_id, device_id, body_hash, body, sent_at)
      select ${id}::int8, ${head?.seq ?? 0}::int8 + n, ${first}::int8 + n, ${sender.id}::int8, 1, 0, ${body}, now()
      from generate_series(1, ${count}) n`;
    await tx`
      update conversation_head set seq = seq + ${count}, message_id = ${first}::int8 + ${count} where conversation_id = ${id}`;
  });
}

describe('a new device', () => {
  test('begins where the conversations are, and gets what is said from then on', async () => {
    const id = await begin(lin, 'direct', wei);
    await say(lin, id, 'before');
    const first = await sync(wei);
    expect(first).toMatchObject({ tooLong: true, events: [], conversations: [], more: false, pts: 1 });
    expect((await sync(wei)).deviceId).toBe(first.deviceId);
    await say(lin, id, 'after');
    expect(seqsOf(await sync(wei, { pts: first.pts }))).toEqual([[id, [2]]]);
    const other = await sync(wei, { device: 'tablet', pts: first.pts });
    expect(other).toMatchObject({ tooLong: true, conversations: [] });
    expect(other.deviceId).not.toBe(first.deviceId);
    expect((await sync(wei, { device: 'tablet', pts: other.pts })).tooLong).toBe(false);
  });

  test('is one after a log-in, too', async () => {
    const first = await sync(wei);
    const again = new ApiUser(t.url);
    const { body } = await again.call<{ accessToken: string }>('POST', '/auth/login', {
      body: { login: wei.username, password: passwordOf(wei.username) },
    });
    again.accessToken = body.accessToken;
    expect((await sync(again)).deviceId).not.toBe(first.deviceId);
  });
});

describe('messages', () => {
  test('come again until they are acknowledged; an acknowledgement counts for its device alone', async () => {
    const id = await begin(lin, 'direct', wei);
    await sync(wei);
    await sync(wei, { device: 'tablet' });
    for (const text of ['one', 'two', 'three']) await say(lin, id, text);
    expect(seqsOf(await sync(wei, { pts: 1 }))).toEqual([[id, [1, 2, 3]]]);
    expect(seqsOf(await sync(wei, { pts: 1, ack: `${id}:2` }))).toEqual([[id, [3]]]);
    expect(seqsOf(await sync(wei, { pts: 1, ack: `${id}:1` }))).toEqual([[id, [3]]]);
    expect(seqsOf(await sync(wei, { pts: 1, device: 'tablet' }))).toEqual([[id, [1, 2, 3]]]);
    expect(seqsOf(await sync(wei, { pts: 1, ack: `${id}:99` }))).toEqual([]);
    await say(lin, id, 'four');
    expect(await sync(wei, { pts: 1 })).toMatchObject({
      ...{ tooLong: false, events: [], more: false },
      conversations: [
        { conversationId: id, headSeq: 4, gap: null, messages: [{ seq: 4, senderId: lin.id }] },
      ],
    });
  });

  test('of one’s own come to one’s other devices', async () => {
    const id = await begin(lin, 'direct', wei);
    await sync(lin, { device: 'tablet' });
    await say(lin, id, 'hello');
    expect(seqsOf(await sync(lin, { pts: 1, device: 'tablet' }))).toEqual([[id, [1]]]);
  });

  test('that have arrived raise the delivered mark', async () => {
    const id = await begin(lin, 'direct', wei);
    await sync(wei);
    await say(lin, id, 'hello');
    const marks = async () => {
      const { body } = await lin.call<Page<Member>>('GET', `/conversations/${id}/members`);
      const member = body.items.find(({ user }) => user.id === wei.id);
      return [member?.deliveredSeq, member?.readSeq];
    };
    expect(await marks()).toEqual([0, 0]);
    await sync(wei, { pts: 1, ack: `${id}:1` });
    expect(await marks()).toEqual([1, 0]);
  });

  test('of conversations that one is not in are neither given nor acknowledged', async () => {
    const id = await begin(lin, 'group', wei);
    const { deviceId } = await sync(mia);
    await say(lin, id, 'hello');
    expect(seqsOf(await sync(mia, { pts: 0, ack: `${id}:1` }))).toEqual([]);
    expect(await t.db.sql`select from chat_cursor where device_id = ${deviceId}`).toEqual([]);
    await lin.call('POST', `/conversations/${id}/members`, { body: { memberIds: [mia.id] } });
    await say(lin, id, 'welcome');
    expect(seqsOf(await sync(mia, { pts: 0 }))).toEqual([[id, [3, 4]]]);
    await lin.call('DELETE', `/conversations/${id}/members/${mia.id}`);
    expect(seqsOf(await sync(mia, { pts: 0 }))).toEqual([]);
  });

  test('are a bounded number in one answer, and the next has the others', async () => {
    const [one, two] = [await begin(lin, 'direct', wei), await begin(mia, 'direct', wei)];
    const { pts } = await sync(wei);
    await fill(one, lin, 200);
    await fill(two, mia, 200);
    const seen = new Map<string, number[]>([
      [one, []],
      [two, []],
    ]);
    let answers = 0;
    for (let ack = '', more = true; more; answers += 1) {
      const answer = await sync(wei, { pts, ...(ack && { ack }) });
      for (const { conversationId, messages } of answer.conversations)
        seen.get(conversationId)?.push(...messages.map(({ seq }) => seq));
      ack = answer.conversations
        .map(({ conversationId, messages }) => `${conversationId}:${messages.at(-1)?.seq}`)
        .join(',');
      more = answer.more;
    }
    const all = Array.from({ length: 200 }, (_, n) => n + 1);
    expect([...seen.values()]).toEqual([all, all]);
    expect(answers).toBe(2);
  });

  test('are a bounded number of bytes in one answer, but at least one', async () => {
    const id = await begin(lin, 'direct', wei);
    const { pts } = await sync(wei);
    await fill(id, lin, 100, 16_000);
    const first = await sync(wei, { pts });
    expect([first.more, seqsOf(first)[0]?.[1]?.length]).toEqual([true, 16]);
    const second = await sync(wei, { pts, ack: `${id}:16` });
    expect(second.conversations[0]?.messages[0]?.seq).toBe(17);
  });

  test('that are too many are a gap, which is history, and the newest', async () => {
    const id = await begin(lin, 'direct', wei);
    const { pts } = await sync(wei);
    await fill(id, lin, 500);
    expect((await sync(wei, { pts })).conversations).toMatchObject([{ gap: null, headSeq: 500 }]);
    await fill(id, lin, 200);
    const { conversations, more } = await sync(wei, { pts });
    expect([more, conversations]).toMatchObject([false, [{ headSeq: 700, gap: { fromSeq: 1, toSeq: 600 } }]]);
    expect(conversations[0]?.messages.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 100 }, (_, n) => 601 + n),
    );
    expect(seqsOf(await sync(wei, { pts, ack: `${id}:700` }))).toEqual([]);
  });
});

describe('events', () => {
  test('tell of conversations that one came into and left, and of what was read', async () => {
    const { pts } = await sync(wei);
    expect(pts).toBe(0);
    const id = await begin(lin, 'group', wei);
    await say(lin, id, 'hello');
    await wei.call('PUT', `/conversations/${id}/read`, { body: { seq: 2 } });
    await lin.call('DELETE', `/conversations/${id}/members/${wei.id}`);
    const answer = await sync(wei, { pts });
    expect(answer.events).toEqual([
      { pts: 1, kind: 'joined', conversationId: id },
      { pts: 2, kind: 'read', conversationId: id, seq: 2 },
      { pts: 3, kind: 'left', conversationId: id },
    ]);
    expect([answer.pts, answer.tooLong]).toEqual([3, false]);
    expect((await sync(wei, { pts: 2 })).events.map(({ pts }) => pts)).toEqual([3]);
    expect(await sync(wei, { pts: 3 })).toMatchObject({ events: [], pts: 3, tooLong: false });
  });

  test('that are no longer kept, or were never there, are too long', async () => {
    await sync(wei);
    for (let n = 0; n < 3; n++) await begin(lin, 'group', wei);
    await t.db.sql`delete from chat_event where account_id = ${wei.id} and pts <= 2`;
    expect(await sync(wei, { pts: 0 })).toMatchObject({ tooLong: true, events: [], pts: 3 });
    expect(await sync(wei, { pts: 2 })).toMatchObject({ tooLong: false, events: [{ pts: 3 }] });
    expect(await sync(wei, { pts: 9 })).toMatchObject({ tooLong: true, events: [], pts: 3 });
  });
});

describe('a device that was forgotten', () => {
  test('is a new one, and reads its conversations anew', async () => {
    const id = await begin(lin, 'direct', wei);
    const first = await sync(wei, { device: 'old' });
    await say(lin, id, 'missed');
    await t.db.sql`update chat_device set seen_at = now() - interval '31 days' where id = ${first.deviceId}`;
    expect(await t.features.chat.devices.expire()).toBe(1);
    // This process remembers it; that it is gone shows at its next request.
    const answer = await sync(wei, { device: 'old', pts: first.pts });
    expect([answer.deviceId === first.deviceId, answer.tooLong, seqsOf(answer)]).toEqual([false, true, []]);
  });

  test('or gave way to others: it goes on as a new one at once', async () => {
    const id = await begin(lin, 'direct', wei);
    const first = await sync(wei, { device: 'first' });
    for (let n = 0; n < 50; n += 1) await sync(wei, { device: `later-${n}` });
    await say(lin, id, 'missed');
    const answer = await sync(wei, { device: 'first', pts: first.pts });
    expect([answer.deviceId === first.deviceId, answer.tooLong, seqsOf(answer)]).toEqual([false, true, []]);
    await say(lin, id, 'heard');
    expect(seqsOf(await sync(wei, { device: 'first', pts: answer.pts }))).toEqual([[id, [2]]]);
  });

  test('is one that was not seen for 30 days, not a day earlier', async () => {
    const { deviceId } = await sync(wei);
    await t.db.sql`update chat_device set seen_at = now() - interval '29 days' where id = ${deviceId}`;
    expect(await t.features.chat.devices.expire()).toBe(0);
  });
});

describe('a long poll', () => {
  test('is answered at once when there is something', async () => {
    const id = await begin(lin, 'direct', wei);
    const { pts } = await sync(wei);
    await say(lin, id, 'hello');
    const startedMs = performance.now();
    expect(seqsOf(await sync(wei, { pts, wait: 30 }))).toEqual([[id, [1]]]);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  test('waits for a message, and for an event', async () => {
    const id = await begin(lin, 'direct', wei);
    const { pts } = await sync(wei);
    const waiting = sync(wei, { pts, wait: 30 });
    await eventually(async () => t.features.chat.sync.waiting === 1);
    await say(lin, id, 'hello');
    expect(seqsOf(await waiting)).toEqual([[id, [1]]]);
    const again = sync(wei, { pts, wait: 30, ack: `${id}:1` });
    await eventually(async () => t.features.chat.sync.waiting === 1);
    await wei.call('PUT', `/conversations/${id}/read`, { body: { seq: 1 } });
    expect((await again).events).toMatchObject([{ kind: 'read', seq: 1 }]);
    expect(t.features.chat.sync.waiting).toBe(0);
  });

  test('is answered empty when its time is over', async () => {
    const { pts } = await sync(wei);
    const startedMs = performance.now();
    expect(await sync(wei, { pts, wait: 1 })).toMatchObject({ events: [], conversations: [], more: false });
    expect(performance.now() - startedMs).toBeGreaterThan(950);
  });

  test('ends when its client goes', async () => {
    const { pts } = await sync(wei);
    const client = new AbortController();
    const request = fetch(`${t.url}/api/v1/chat/sync?pts=${pts}&wait=30`, {
      headers: { authorization: `Bearer ${wei.accessToken}` },
      signal: client.signal,
    });
    await eventually(async () => t.features.chat.sync.waiting === 1);
    client.abort();
    expect(
      await request.then(
        () => 'answered',
        () => 'gone',
      ),
    ).toBe('gone');
    await eventually(async () => t.features.chat.sync.waiting === 0);
  });

  test('is refused when too many of the account wait', async () => {
    const { pts } = await sync(wei);
    const client = new AbortController();
    const requests = Array.from({ length: MAX_WAITING_OF_ACCOUNT }, () =>
      fetch(`${t.url}/api/v1/chat/sync?pts=${pts}&wait=30`, {
        headers: { authorization: `Bearer ${wei.accessToken}` },
        signal: client.signal,
      }),
    );
    const settled = Promise.allSettled(requests);
    await eventually(async () => t.features.chat.sync.waiting === MAX_WAITING_OF_ACCOUNT);
    expect(await codeOf(wei, `pts=${pts}&wait=30`)).toBe('rate-limited');
    // A short poll waits for nothing.
    expect((await sync(wei, { pts })).pts).toBe(pts);
    client.abort();
    await settled;
    await eventually(async () => t.features.chat.sync.waiting === 0);
  });
});

describe('the offline box', () => {
  const boxOf = async (deviceId: string) =>
    (
      await t.db.sql<{ id: string }>`
        select conversation_id as id from offline_box where device_id = ${deviceId} order by noted_at`
    ).map(({ id }) => id);

  test('of a device that is away names what is new, until it was acknowledged', async () => {
    const [first, second] = [await begin(lin, 'direct', wei), await begin(mia, 'direct', wei)];
    const { deviceId, pts } = await sync(wei);
    await say(mia, second, 'one');
    await t.features.chat.boxes.flush();
    expect(await boxOf(deviceId)).toEqual([second]);
    // Without a pointer it comes as well, after those that have one.
    await fill(first, lin, 1);
    expect(seqsOf(await sync(wei, { pts }))).toEqual([
      [second, [1]],
      [first, [1]],
    ]);
    await sync(wei, { pts, ack: `${second}:1` });
    expect(await boxOf(deviceId)).toEqual([]);
  });

  test('holds nothing of large groups, whose members get everything nevertheless', async () => {
    const id = await begin(lin, 'group', wei);
    const { deviceId, pts } = await sync(wei);
    const from = ids.next();
    for (let n = 0; n < 200; n++) ids.next();
    await t.db.sql`
      insert into account (id, username, display_name, created_at)
      select ${from}::int8 + n, 'crowd_' || (${from}::int8 + n), 'One', now() from generate_series(0, 199) n`;
    await t.db.sql`
      insert into conversation_member (conversation_id, account_id, role, joined_at, joined_seq)
      select ${id}::int8, ${from}::int8 + n, 'member', now(), 1 from generate_series(0, 199) n`;
    await say(lin, id, 'to all');
    await t.features.chat.boxes.flush();
    expect(await boxOf(deviceId)).toEqual([]);
    expect(seqsOf(await sync(wei, { pts }))).toEqual([[id, [2]]]);
  });
});

test('a request that does not fit is refused', async () => {
  for (const query of ['wait=31', 'pts=-1', 'ack=1', 'ack=1:2,', 'ack=0:1', 'device=a%20b', 'ack='])
    expect([query, await codeOf(lin, query)]).toEqual([query, 'invalid-request']);
});
