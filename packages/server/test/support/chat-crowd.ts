import { expect } from 'bun:test';
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
import { RunRecord } from './chat-device-record.ts';
import { ChatHistory } from './chat-history.ts';
import { type ChatPerson, makeChatPeople, makeDirects, makeGroups } from './chat-people.ts';
import { type CliProcess, hvideo, readyUrl } from './cli.ts';
import { testLog } from './database.ts';
import { eventually } from './eventually.ts';
import { TestRedis } from './redis-server.ts';

export interface CrowdNode {
  readonly port: number;
  readonly roles: string | undefined;
  process: CliProcess;
}

export interface CrowdClient {
  readonly chat: Chat;
  readonly record: RunRecord;
  readonly conversationIds: readonly string[];
}

export interface CrowdShape {
  readonly people: number;
  readonly groupSize: number;
  /** Each person says something about so often. */
  readonly pauseMs: number;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly roles?: string | undefined;
}

/** Processes of the server that share a Redis and a PostgreSQL, each to be killed, and people who talk by way of them. */
export class ChatCrowd implements AsyncDisposable {
  readonly history = new ChatHistory();
  readonly nodes: CrowdNode[] = [];
  readonly shape: CrowdShape;
  readonly redis: TestRedis;
  /** Of the database. */
  readonly databaseFolder: string;
  clients: readonly CrowdClient[] = [];
  readonly #closing: AsyncDisposableStack;
  readonly #folder: string;
  readonly #sql: SQL;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(
    shape: CrowdShape,
    closing: AsyncDisposableStack,
    parts: { folder: string; databaseFolder: string; redis: TestRedis; sql: SQL; databaseUrl: string },
  ) {
    this.shape = shape;
    this.redis = parts.redis;
    this.databaseFolder = parts.databaseFolder;
    this.#closing = closing;
    this.#folder = parts.folder;
    this.#sql = parts.sql;
    this.#env = {
      ...{ DATABASE_URL: parts.databaseUrl, REDIS_URL: parts.redis.url, HVIDEO_CHANGE_FEED: 'outbox' },
      ...{ HVIDEO_LIMITS: 'false', HVIDEO_ACCESS_TOKEN_SECONDS: '3600', HVIDEO_DATABASE_CONNECTIONS: '6' },
    };
  }

  static async open(shape: CrowdShape): Promise<ChatCrowd> {
    await using opening = new AsyncDisposableStack();
    const folderFor = async (name: string) => {
      const path = await mkdtemp(join(tmpdir(), name));
      opening.defer(() => rm(path, { recursive: true, force: true }));
      return path;
    };
    const folder = await folderFor('hvideo-chat-');
    const databaseFolder = await folderFor('hvideo-chat-database-');
    const lock = opening.use(await acquireDataLock(databaseFolder));
    const postgres = opening.use(await startEmbeddedPostgres({ lock, log: testLog }));
    const redis = opening.use(await TestRedis.start());
    const sql = new SQL(postgres.url, { max: 1 });
    opening.defer(() => sql.close());
    return new ChatCrowd(shape, opening.move(), {
      ...{ folder, databaseFolder, redis, sql, databaseUrl: postgres.url },
    });
  }

  /** Starts a process, or the one at this place again, on the port that it had. */
  async start(
    at: number,
    { args = [], env = {}, roles = this.nodes[at]?.roles }: StartOptions = {},
  ): Promise<CrowdNode> {
    const port = this.nodes[at]?.port ?? (await freePort());
    const chosen = roles === undefined ? args : ['--roles', roles, ...args];
    const process = hvideo(['serve', '--data', this.#folder, '--port', String(port), ...chosen], {
      timeoutMs: 240_000,
      env: { ...this.#env, ...env },
    });
    const node = { port, roles, process };
    this.nodes[at] = node;
    await readyUrl(process);
    return node;
  }

  async kill(at: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    const { process } = this.nodes[at]!;
    process.kill(signal);
    return await process.exited;
  }

  /** Everybody comes: each in a direct chat and in a group. `place` says where requests and where the socket of each go. */
  async enter(place: (at: number) => { api: CrowdNode; socket: CrowdNode }): Promise<void> {
    const { groupSize, people } = this.shape;
    const persons = await makeChatPeople(this.#sql, this.#folder, people);
    const directs = await makeDirects(this.#sql, persons);
    const groups = await makeGroups(this.#sql, persons, groupSize);
    this.clients = persons.map((person, at) =>
      this.#client(person, at, place(at), [
        directs[Math.floor(at / 2)]!,
        groups[Math.floor(at / groupSize)]!,
      ]),
    );
    await eventually(async () => this.areOnline(), 60_000);
  }

  areOnline(): boolean {
    return this.clients.every(({ chat }) => chat.status.snapshot().phase === 'online');
  }

  #client(
    { id, token }: ChatPerson,
    at: number,
    { api, socket }: { api: CrowdNode; socket: CrowdNode },
    conversationIds: string[],
  ): CrowdClient {
    const { history } = this;
    const store = memoryStore({
      accessToken: token,
      accessExpiresAtMs: Date.now() + 3_000_000,
      refreshKey: id,
    });
    const client = createClient({
      baseUrl: `http://127.0.0.1:${api.port}`,
      session: { kind: 'token', store },
    });
    const chat = createChat({
      ...{ client, accountId: id, store: memoryChatStore(), url: `ws://127.0.0.1:${socket.port}/ws` },
    });
    const record = new RunRecord({
      ...{ name: `device ${at}`, accountId: id, history, conversationIds, headOf: () => 0 },
    });
    record.watch(chat);
    return { chat, record, conversationIds };
  }

  /** Until the signal, everybody talks, now here and now there. */
  async talk(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.clients.map(async ({ chat, conversationIds }, at) => {
        for (let turn = 0; !signal.aborted; turn++) {
          const id = conversationIds[turn % conversationIds.length]!;
          const text = `${at}-${turn}`;
          this.history.send({ conversationId: id, senderId: chat.accountId, text, tab: `device ${at}` });
          chat.conversation(id).send({ type: 'text', text });
          await Bun.sleep(this.shape.pauseMs * (0.5 + Math.random()));
        }
      }),
    );
  }

  /** Waits until everything is said and heard: all of it is stored as promised, and it is more than `least` for each person. */
  async expectWhole(least: number): Promise<void> {
    expect(await this.#settle()).toEqual([]);
    const { acknowledged, refused, sent } = this.history;
    expect(refused.size).toBe(0);
    expect(acknowledged.length).toBe(sent.size);
    expect(sent.size).toBeGreaterThan(this.shape.people * least);
  }

  async #settle(): Promise<string[]> {
    const pending = () => this.clients.reduce((sum, { chat }) => sum + chat.status.snapshot().pending, 0);
    await eventually(async () => pending() === 0, 90_000);
    const isWell = async () => (await this.#violations()).length === 0;
    await eventually(isWell, 60_000).catch(() => {}); // told below, in full
    return this.#violations();
  }

  async #violations(): Promise<string[]> {
    const views = this.clients.flatMap(({ chat, record }) => [
      ...record.views(),
      ...record.settledViews(chat),
    ]);
    return this.history.violations(await this.#stored(), views);
  }

  async #stored(): Promise<Map<string, StoredMessage[]>> {
    const rows = await this.#sql`
      select conversation_id as "conversationId", seq::int8::text::int4 as seq, id, sender_id as "senderId", device_id as "deviceId",
        client_seq::int4 as "clientSeq", quote_seq::int4 as "quoteSeq", 0 as "timestampMs", body
      from message order by conversation_id, seq`;
    const stored = new Map<string, StoredMessage[]>();
    for (const row of rows as StoredMessage[])
      stored.set(row.conversationId, [...(stored.get(row.conversationId) ?? []), row]);
    return stored;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map(({ chat }) => chat.close()));
    for (const { process } of this.nodes) process.kill('SIGTERM');
    await Promise.all(this.nodes.map(({ process }) => process.exited));
    await this.#closing.disposeAsync();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
