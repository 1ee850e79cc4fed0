import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresConversationStore } from '../../src/adapters/postgres/chat/conversation-store.ts';
import { PostgresDeviceStore } from '../../src/adapters/postgres/chat/device-store.ts';
import { PostgresMessageStore } from '../../src/adapters/postgres/chat/message-store.ts';
import { acquireDataLock } from '../../src/adapters/postgres/data-lock.ts';
import { openDatabase, type PostgresDatabase } from '../../src/adapters/postgres/database.ts';
import { type EmbeddedServer, startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-server.ts';
import { migrate } from '../../src/adapters/postgres/migrate.ts';
import { ChatWorld } from '../../src/ports/message-store/chat-world.ts';
import { rowsOf } from '../support/chat-stores.ts';
import { testLog as log } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Acknowledged, bodyOf, openCommitter, type Talker, talk } from '../support/talkers.ts';

let root: string;
let server: EmbeddedServer;
let database: PostgresDatabase;
let world: ChatWorld;
/** Undefined while it does not serve. */
let postmaster: () => Promise<number | undefined>;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hvideo-commit-'));
  await chmod(root, 0o711);
  cleanups.push(() => rm(root, { recursive: true, force: true }));
  const lock = await acquireDataLock(root);
  cleanups.push(() => lock.release());
  // With fsync, as in production: what is killed here is the process, not the machine.
  server = await startEmbeddedPostgres({ lock, log });
  cleanups.push(() => server.stop());
  database = openDatabase({ url: server.url, maxConnections: 4, log });
  cleanups.push(() => database.close());
  await migrate({ database, log });
  const handles = {
    messages: new PostgresMessageStore(database),
    conversations: new PostgresConversationStore(database),
    devices: new PostgresDeviceStore(database),
  };
  const limited = handles.conversations;
  world = new ChatWorld({
    ...{ ...handles, second: handles, limited, ...rowsOf(database) },
    close: async () => {},
  });
  const pidFile = Bun.file(join(root, 'postgres', 'cluster', 'postmaster.pid'));
  postmaster = async () => {
    const lines = (await pidFile.text().catch(() => '')).split('\n');
    const pid = Number(lines[0]);
    // Half a file names nobody, and 0 this very process with all its kin.
    return lines[7]?.trim() === 'ready' && pid > 1 ? pid : undefined;
  };
}, 60_000);

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
}, 60_000);

/** Groups of everybody, in which everybody talks. */
async function makeTalkers(groups: number, people: readonly string[]): Promise<Talker[]> {
  const [owner = '', ...others] = people;
  const talkers: Talker[] = [];
  for (let i = 0; i < groups; i++) {
    const conversationId = await world.group(owner, ...others);
    for (const senderId of people) talkers.push({ conversationId, senderId, next: 1 });
  }
  return talkers;
}

/** Every receipt is kept once, with its place; each chain is whole and in order; no place is empty. */
async function check(talkers: readonly Talker[], acknowledged: readonly Acknowledged[]): Promise<void> {
  const places = new Map<string, number>();
  for (const { talker, clientSeq, seq } of acknowledged)
    places.set(`${talker.conversationId} ${talker.senderId} ${clientSeq}`, seq);
  const found = new Set<string>();
  for (const conversationId of new Set(talkers.map((talker) => talker.conversationId))) {
    const rows = await database.sql<{ seq: string; sender: string; client: string | null; body: string }>`
      select seq, sender_id as sender, client_seq as client, body from message
      where conversation_id = ${conversationId} order by seq`;
    expect(rows.map(({ seq }) => Number(seq))).toEqual(rows.map((_, i) => i + 1));
    const next = new Map<string, number>();
    for (const { seq, sender, client, body } of rows) {
      if (client === null) continue;
      const expected = next.get(sender) ?? 1;
      expect(Number(client)).toBe(expected);
      next.set(sender, expected + 1);
      expect(body).toBe(bodyOf({ conversationId, senderId: sender, next: 0 }, expected));
      const name = `${conversationId} ${sender} ${expected}`;
      found.add(name);
      if (places.has(name)) expect(places.get(name)).toBe(Number(seq));
    }
  }
  expect([...places.keys()].filter((name) => !found.has(name))).toEqual([]);
}

/** A process of talkers, with the receipts that it has told of. */
function spawn(node: number, talkers: readonly Talker[]) {
  const script = join(import.meta.dir, '..', 'support', 'talkers-process.ts');
  const child = Bun.spawn([process.execPath, script, server.url, String(node), JSON.stringify(talkers)], {
    ...{ stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' },
  });
  cleanups.push(async () => child.kill('SIGKILL'));
  const acknowledged: Acknowledged[] = [];
  const hear = (line: string) => {
    const [conversationId, senderId, clientSeq, seq] = line.split(' ');
    const talker = talkers.find((it) => it.conversationId === conversationId && it.senderId === senderId);
    if (!talker) throw new Error(`nobody said ${line}`);
    talker.next = Number(clientSeq) + 1;
    acknowledged.push({ talker, clientSeq: Number(clientSeq), seq: Number(seq) });
  };
  const read = (async () => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(hear);
    }
  })();
  return {
    acknowledged,
    reach: (count: number) => eventually(async () => acknowledged.length >= count, 30_000),
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
      await read;
    },
    async finish() {
      child.stdin.end();
      expect(await child.exited).toBe(0);
      await read;
    },
  };
}

describe('what was acknowledged, after kill -9 in the middle of commits', () => {
  test('of a process, while another talks in the same conversations', async () => {
    const people = await world.people(6);
    const all = await makeTalkers(5, people);
    const isFirst = ({ senderId }: Talker) => people.indexOf(senderId) < 3;
    const [mine, others] = [all.filter(isFirst), all.filter((talker) => !isFirst(talker))];
    const steady = spawn(2, others);
    const lives = [];
    for (let life = 0; life < 3; life++) {
      const victim = spawn(1, mine);
      lives.push(victim);
      await victim.reach(300);
      await victim.kill();
    }
    const last = spawn(1, mine);
    await last.reach(300);
    await Promise.all([last.finish(), steady.finish()]);
    const acknowledged = [...lives, last, steady].flatMap((process) => process.acknowledged);
    expect(steady.acknowledged.length).toBeGreaterThan(300);
    await check(all, acknowledged);
  }, 90_000);

  test('of PostgreSQL, which comes back', async () => {
    const talkers = await makeTalkers(5, await world.people(6));
    const acknowledged: Acknowledged[] = [];
    const stop = new AbortController();
    const committer = openCommitter(new PostgresMessageStore(database), 3);
    const talking = talkers.map((talker) =>
      talk(committer, talker, (receipt) => acknowledged.push(receipt), stop.signal),
    );
    let killed = 0;
    for (let death = 0; death < 3; death++) {
      // Backends outlive their postmaster for a moment, and acknowledge.
      const alive = await eventually(async () => {
        const pid = await postmaster();
        return pid !== killed && pid;
      }, 30_000);
      const before = acknowledged.length;
      await eventually(async () => acknowledged.length > before + 300, 30_000);
      process.kill(alive, 'SIGKILL');
      killed = alive;
    }
    const before = acknowledged.length;
    await eventually(async () => acknowledged.length > before + 300, 30_000);
    stop.abort();
    await Promise.all(talking);
    await committer.drain();
    await check(talkers, acknowledged);
  }, 90_000);
});
