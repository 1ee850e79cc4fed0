import pino from 'pino';
import { PostgresMessageStore } from '../packages/server/src/adapters/postgres/chat/message-store.ts';
import { acquireDataLock } from '../packages/server/src/adapters/postgres/data-lock.ts';
import { openDatabase, type PostgresDatabase } from '../packages/server/src/adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../packages/server/src/adapters/postgres/embedded-server.ts';
import { migrate } from '../packages/server/src/adapters/postgres/migrate.ts';
import { Committer, type Receipt } from '../packages/server/src/features/chat/commit/index.ts';
import { systemClock } from '../packages/server/src/kernel/clock.ts';
import { SnowflakeGenerator } from '../packages/server/src/kernel/ids.ts';
import { systemRandom } from '../packages/server/src/kernel/random.ts';
import type { Benchmark } from './main.ts';
import { cpuMsOf, cpuMsOfDatabase } from './support/cpu.ts';
import { benchFolder } from './support/folder.ts';

const conversations = 1_000;
/** Messages that each of the two has under way. */
const window = 4;
const textLength = 200;
const warmUpSeconds = 2;
const seconds = 8;
const connections = 8;
const yardstickRows = 1_000;
const yardstickLanes = 4;
const rounds = 2;
const loneMessages = 300;
const body = JSON.stringify({ type: 'text', text: 'x'.repeat(textLength) });

export const benchmark: Benchmark = {
  about:
    'Durable messages per second through the committer into the embedded PostgreSQL, 1,000 direct chats with chains; the yardstick is a plain insert of the same rows, 1,000 at a time, into a table with a primary key only.',
  async run() {
    await using folder = await benchFolder();
    const log = pino({ level: 'silent' });
    await using lock = await acquireDataLock(folder.path);
    await using server = await startEmbeddedPostgres({ lock, log });
    await using database = openDatabase({ url: server.url, maxConnections: connections, log });
    await migrate({ database, log });
    await makeConversations(database);
    const measured = (run: (seconds: number) => Promise<number>) => measure(folder.path, run);
    const [ours, plain]: [Figure[], Figure[]] = [[], []];
    const committer = openCommitter(database);
    const send = talk(committer);
    const insert = await plainInserts(database);
    await send(warmUpSeconds);
    // By turns, so that whatever else the machine does falls on both; the best of each is the least disturbed.
    for (let round = 0; round < rounds; round++) {
      ours.push(await measured(send));
      plain.push(await measured(insert));
    }
    const [best, yardstick] = [bestOf(ours), bestOf(plain)];
    return {
      messagesPerSecond: best.perSecond,
      plainRowsPerSecond: yardstick.perSecond,
      ratio: Number((best.perSecond / yardstick.perSecond).toFixed(2)),
      serverMicrosPerMessage: best.serverMicros,
      databaseMicrosPerMessage: best.databaseMicros,
      plainServerMicrosPerRow: yardstick.serverMicros,
      plainDatabaseMicrosPerRow: yardstick.databaseMicros,
      // Of one who waits for each receipt, when nobody else talks: a commit that nobody shares.
      loneMillis: await loneMillis(committer),
    };
  },
};

interface Figure {
  readonly perSecond: number;
  readonly serverMicros: number;
  readonly databaseMicros: number;
}

const bestOf = (figures: readonly Figure[]): Figure =>
  figures.reduce((best, each) => (each.perSecond > best.perSecond ? each : best));

async function measure(dataDir: string, run: (seconds: number) => Promise<number>): Promise<Figure> {
  const cpu = async () => [await cpuMsOf(process.pid), await cpuMsOfDatabase(dataDir)] as const;
  const [serverMs, databaseMs] = await cpu();
  const startedAtMs = performance.now();
  const count = await run(seconds);
  const elapsedMs = performance.now() - startedAtMs;
  const [serverEndMs, databaseEndMs] = await cpu();
  const micros = (ms: number) => Number(((ms * 1000) / count).toFixed(1));
  return {
    perSecond: Math.round((count * 1000) / elapsedMs),
    serverMicros: micros(serverEndMs - serverMs),
    databaseMicros: micros(databaseEndMs - databaseMs),
  };
}

const conversationId = (i: number) => String(1_000_000 + i);
const accountId = (i: number) => String(1 + i);

/** Conversation `i` is of the accounts `2i` and `2i + 1`. */
async function makeConversations({ sql }: PostgresDatabase): Promise<void> {
  const count = conversations;
  await sql`
    insert into account (id, username, display_name, created_at)
    select n, 'user_' || n, 'User', now() from generate_series(1, ${2 * count}::int4) n`;
  await sql`
    insert into conversation (id, type, direct_key, created_at)
    select 1000000 + i, 'direct', (1 + 2 * i) || ':' || (2 + 2 * i), now() from generate_series(0, ${count - 1}::int4) i`;
  await sql`
    insert into conversation_head (conversation_id, message_id)
    select 1000000 + i, 1000000 + i from generate_series(0, ${count - 1}::int4) i`;
  await sql`
    insert into conversation_member (conversation_id, account_id, role, joined_at, joined_seq)
    select 1000000 + i / 2, 1 + i, 'member', now(), 0 from generate_series(0, ${2 * count - 1}::int4) i`;
}

function openCommitter(database: PostgresDatabase): Committer {
  const ids = new SnowflakeGenerator(systemClock, () => ({
    ...{ node: 1, issuedUntilMs: Number.MAX_SAFE_INTEGER, deadlineMs: Number.MAX_SAFE_INTEGER },
  }));
  return new Committer({
    ...{ clock: systemClock, random: systemRandom, ids, log: pino({ level: 'silent' }) },
    messages: new PostgresMessageStore(database),
    ...{ onCommitted: () => {}, onUnknown: () => {} },
  });
}

/** Everybody says the next thing when the receipt of an earlier one comes. */
function talk(committer: Committer): (seconds: number) => Promise<number> {
  const numbers = new Uint32Array(2 * conversations);
  return (forSeconds) =>
    new Promise((resolve, refused) => {
      const endMs = performance.now() + forSeconds * 1000;
      let [stored, underWay] = [0, 0];
      const say = (who: number) => {
        underWay += 1;
        numbers[who] = (numbers[who] ?? 0) + 1;
        const from = { conversationId: conversationId(who >> 1), senderId: accountId(who) };
        const heard = (receipt: Receipt) => {
          if (receipt.isDuplicate) refused(new Error('stored twice'));
          stored += 1;
          underWay -= 1;
          if (performance.now() < endMs) say(who);
          else if (underWay === 0) resolve(stored);
        };
        const draft = { ...from, deviceId: accountId(who), body, chain: 'chain', clientSeq: numbers[who] };
        committer.submit(draft, { stored: heard, refused });
      };
      for (let who = 0; who < 2 * conversations; who++) for (let i = 0; i < window; i++) say(who);
    });
}

async function plainInserts({ sql }: PostgresDatabase): Promise<(seconds: number) => Promise<number>> {
  await sql`create table plain (like message, primary key (conversation_id, seq))`;
  const rows = Array.from({ length: yardstickRows }, (_, i) => i);
  let next = 0;
  const insert = async () => {
    const first = next;
    next += yardstickRows;
    const all = (value: (i: number) => unknown, type: 'int8' | 'text') => sql.array(rows.map(value), type);
    await sql`
      insert into plain (conversation_id, seq, id, sender_id, device_id, chain, client_seq, body_hash, body, sent_at)
      select conversation_id, seq, id, id, id, chain::uuid, seq, id, body, now() from unnest(
        ${all(conversationId, 'int8')}, ${all((i) => first + i, 'int8')}, ${all((i) => first + i, 'int8')},
        ${all(() => '00000000-0000-4000-8000-000000000000', 'text')}, ${all(() => body, 'text')}
      ) as row (conversation_id, seq, id, chain, body)`;
  };
  return async (forSeconds) => {
    const startedAt = next;
    const endMs = performance.now() + forSeconds * 1000;
    const lane = async () => {
      while (performance.now() < endMs) await insert();
    };
    await Promise.all(Array.from({ length: yardstickLanes }, lane));
    return next - startedAt;
  };
}

/** The median. */
async function loneMillis(committer: Committer): Promise<number> {
  const from = { conversationId: conversationId(0), senderId: accountId(0), deviceId: accountId(0) };
  const millis: number[] = [];
  for (let i = 0; i < loneMessages; i++) {
    const startedAtMs = performance.now();
    await committer.send({ ...from, body, chain: 'lone', clientSeq: i + 1 });
    millis.push(performance.now() - startedAtMs);
  }
  millis.sort((a, b) => a - b);
  return Number(millis[loneMessages >> 1]?.toFixed(2));
}
