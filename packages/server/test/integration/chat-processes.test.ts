import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Chat, createChat, createClient, memoryChatStore, memoryStore } from '@hvideo/client';
import { SQL } from 'bun';
import { acquireDataLock } from '../../src/adapters/postgres/data-lock.ts';
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-server.ts';
import type { StoredMessage } from '../../src/ports/message-store/port.ts';
import { RunRecord } from '../support/chat-device-record.ts';
import { ChatHistory } from '../support/chat-history.ts';
import { type ChatPerson, makeChatPeople, makeDirects, makeGroups } from '../support/chat-people.ts';
import { type CliProcess, hvideo, postmastersOf, readyUrl } from '../support/cli.ts';
import { testLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { redisServerPath, TestRedis } from '../support/redis-server.ts';

const people = 200;
const groupSize = 20;
/** Each person says something about so often. */
const pauseMs = 400;

/** Two gateways that share a Redis and a PostgreSQL, and are killed like these, one after another, under load. */
describe.skipIf(redisServerPath() === undefined)('a chat of 200 on two gateways', () => {
  const closing = new AsyncDisposableStack();
  const history = new ChatHistory();
  const nodes: { port: number; process: CliProcess }[] = [];
  let folder: string;
  let database: string;
  let redis: TestRedis;
  let sql: SQL;
  let clients: { chat: Chat; record: RunRecord; conversationIds: string[] }[] = [];
  let env: Record<string, string>;

  const startNode = async (at: number) => {
    const port = nodes[at]?.port ?? (await freePort());
    const process = hvideo(['serve', '--data', folder, '--port', String(port)], { timeoutMs: 240_000, env });
    nodes[at] = { port, process };
    await readyUrl(process);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hvideo-chat-'));
    closing.defer(() => rm(folder, { recursive: true, force: true }));
    database = await mkdtemp(join(tmpdir(), 'hvideo-chat-database-'));
    closing.defer(() => rm(database, { recursive: true, force: true }));
    const lock = closing.use(await acquireDataLock(database));
    const postgres = closing.use(await startEmbeddedPostgres({ lock, log: testLog }));
    redis = closing.use(await TestRedis.start());
    env = {
      ...{ DATABASE_URL: postgres.url, REDIS_URL: redis.url, HVIDEO_CHANGE_FEED: 'outbox' },
      ...{ HVIDEO_LIMITS: 'false', HVIDEO_ACCESS_TOKEN_SECONDS: '3600', HVIDEO_DATABASE_CONNECTIONS: '6' },
    };
    await startNode(0);
    await startNode(1);
    sql = new SQL(postgres.url, { max: 1 });
    closing.defer(() => sql.close());
    const persons = await makeChatPeople(sql, folder, people);
    const directs = await makeDirects(sql, persons);
    const groups = await makeGroups(sql, persons, groupSize);
    clients = persons.map((person, at) =>
      enter(person, at, [directs[Math.floor(at / 2)]!, groups[Math.floor(at / groupSize)]!]),
    );
    await eventually(
      async () => clients.every(({ chat }) => chat.status.snapshot().phase === 'online'),
      60_000,
    );
  }, 120_000);

  afterAll(async () => {
    await Promise.all(clients.map(({ chat }) => chat.close()));
    for (const { process } of nodes) process.kill('SIGTERM');
    await Promise.all(nodes.map(({ process }) => process.exited));
    await closing.disposeAsync();
  }, 60_000);

  function enter({ id, token }: ChatPerson, at: number, conversationIds: string[]) {
    const baseUrl = `http://127.0.0.1:${nodes[at % 2]!.port}`;
    const store = memoryStore({
      accessToken: token,
      accessExpiresAtMs: Date.now() + 3_000_000,
      refreshKey: id,
    });
    const client = createClient({ baseUrl, session: { kind: 'token', store } });
    const chat = createChat({ client, accountId: id, store: memoryChatStore() });
    const record = new RunRecord({
      ...{ name: `device ${at}`, accountId: id, history, conversationIds, headOf: () => 0 },
    });
    record.watch(chat);
    return { chat, record, conversationIds };
  }

  /** Until the signal, everybody talks; now and then somebody answers what was said last. */
  async function talk(signal: AbortSignal): Promise<void> {
    await Promise.all(
      clients.map(async ({ chat, conversationIds }, at) => {
        for (let turn = 0; !signal.aborted; turn++) {
          const id = conversationIds[turn % 2]!;
          const text = `${at}-${turn}`;
          const conversation = chat.conversation(id);
          history.send({ conversationId: id, senderId: chat.accountId, text, tab: `device ${at}` });
          conversation.send({ type: 'text', text });
          await Bun.sleep(pauseMs * (0.5 + Math.random()));
        }
      }),
    );
  }

  async function storedMessages(): Promise<Map<string, StoredMessage[]>> {
    const rows = await sql`
      select conversation_id as "conversationId", seq::int8::text::int4 as seq, id, sender_id as "senderId", device_id as "deviceId",
        client_seq::int4 as "clientSeq", quote_seq::int4 as "quoteSeq", 0 as "timestampMs", body
      from message order by conversation_id, seq`;
    const stored = new Map<string, StoredMessage[]>();
    for (const row of rows as StoredMessage[])
      stored.set(row.conversationId, [...(stored.get(row.conversationId) ?? []), row]);
    return stored;
  }

  test('loses nothing, doubles nothing and keeps one order', async () => {
    const talking = new AbortController();
    const everybody = talk(talking.signal);
    await Bun.sleep(4_000);
    nodes[0]!.process.kill('SIGKILL');
    await nodes[0]!.process.exited;
    await Bun.sleep(1_500);
    await startNode(0);
    await Bun.sleep(3_000);
    await redis.kill('SIGKILL');
    await Bun.sleep(2_000);
    await redis.restart();
    await Bun.sleep(3_000);
    const [postmaster = 0] = await postmastersOf(database);
    expect(postmaster).toBeGreaterThan(1);
    process.kill(postmaster, 'SIGKILL');
    await Bun.sleep(5_000);
    talking.abort();
    await everybody;
    const pending = () => clients.reduce((sum, { chat }) => sum + chat.status.snapshot().pending, 0);
    await eventually(async () => pending() === 0, 90_000);
    const violations = async () =>
      history.violations(
        await storedMessages(),
        clients.flatMap(({ chat, record }) => [...record.views(), ...record.settledViews(chat)]),
      );
    await eventually(async () => (await violations()).length === 0, 60_000).catch(() => {}); // told below, in full
    expect(await violations()).toEqual([]);
    expect(history.refused.size).toBe(0);
    expect(history.acknowledged.length).toBe(history.sent.size);
    expect(history.sent.size).toBeGreaterThan(people * 20);
  }, 240_000);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
