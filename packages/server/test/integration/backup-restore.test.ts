import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup } from '../../src/adapters/postgres/backup.ts';
import { acquireDataLock } from '../../src/adapters/postgres/data-lock.ts';
import { openDatabase, type PostgresDatabase } from '../../src/adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-server.ts';
import { openJobQueue } from '../../src/adapters/postgres/job-queue.ts';
import { MIGRATIONS_FOLDER, migrate, readMigrations } from '../../src/adapters/postgres/migrate.ts';
import { restore } from '../../src/adapters/postgres/restore.ts';
import { ForeignKeyViolation } from '../../src/ports/database/port.ts';
import type { JobKind } from '../../src/ports/job-queue/port.ts';
import { testLog as log, type TestDatabase, testDatabase } from '../support/database.ts';

let t: TestDatabase;
let folder: string;
let migrations: string;
const kind: JobKind<number> = { name: 'backup-test', retryLimit: 3, leaseSeconds: 30, concurrency: 1 };

/** Ours, and after them an older and a newer release of one more table, with everything that is hard to carry. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-backup-'));
  migrations = join(folder, 'migrations');
  await cp(MIGRATIONS_FOLDER, migrations, { recursive: true });
  await writeFile(
    join(migrations, '9001_old.sql'),
    `create table zoo (id int8 generated always as identity primary key, text text, bytes bytea, at timestamptz,
       json jsonb, list int8[], twice int4 generated always as (length(text) * 2) stored);
     create table animal (id int8 primary key, zoo int8 not null references zoo, note text);
     create table pair_a (n int4);
     create table pair_b (n int4);
     insert into zoo (text) values ('from the migration');`,
  );
  t = await testDatabase({ migrated: false });
  await migrate({ database: t.database, log, folder: migrations });
  await writeFile(join(migrations, '9002_new.sql'), `alter table animal add column legs int4 default 4;`);
  await mkdir(join(folder, 'media', 'ab'), { recursive: true });
  await mkdir(join(folder, 'keys'));
  await writeFile(join(folder, 'keys', 'signing'), 'secret', { mode: 0o600 });
  await writeFile(
    join(folder, 'media', 'ab', `${'long-name-'.repeat(20)}.mp4`),
    new Uint8Array(3_000_000).fill(7),
  );
  await writeFile(join(folder, 'media', 'empty'), '');
});

afterAll(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function backUp(name: string) {
  const target = join(folder, name);
  const dirs = { mediaDir: join(folder, 'media'), keysDir: join(folder, 'keys') };
  const summary = await backup({ url: t.url, ...dirs, target, programVersion: '0.1.0', log });
  return { target, summary };
}

/** Opens what was restored, as the program would. */
async function opened<T>(dataDir: string, use: (database: PostgresDatabase) => Promise<T>): Promise<T> {
  await using lock = await acquireDataLock(dataDir);
  await using server = await startEmbeddedPostgres({ lock, log });
  await using database = openDatabase({ url: server.url, maxConnections: 3, log });
  return await use(database);
}

const contentOf = async ({ sql }: PostgresDatabase) => ({
  zoo: await sql`select * from zoo order by id`,
  animal: await sql`select id, zoo, note from animal order by id`,
  leases: await sql`select * from node_lease order by node`,
});

describe('backup and restore', () => {
  test('carries every row, job, file and key to a newer release', async () => {
    const { sql } = t.database;
    const nasty = 'tab\t newline\n backslash\\ \\N quote" \u{1F3AC} \u4F60';
    await sql`insert into zoo (text, bytes, at, json, list) values
      (${nasty}, ${Buffer.from([0, 255, 10, 92])}, ${new Date(1)}, ${{ a: [nasty, null, 1e300] }},
        ${sql.array(['9007199254740993'], 'int8')}), (null, null, null, null, null)`;
    await sql`insert into zoo (text) select repeat('x', 400) || i from generate_series(1, 30000) i`;
    await sql`insert into animal select id, id, 'of ' || id from zoo`;
    await sql`insert into node_lease values (3, 'me', now(), 17)`;
    const jobs = openJobQueue({ database: t.database, log, work: false });
    const later = new Date(Date.now() + 3_600_000);
    await jobs.enqueue(sql, kind, 1, { startAfter: later, priority: 5, key: 'k' });
    await jobs.enqueue(sql, kind, 2);
    await sql`update pgboss.job set state = 'active', started_on = now()
      where name = ${kind.name} and data->>'payload' = '2'`;
    await jobs.stop();

    const before = await contentOf(t.database);
    const { target, summary } = await backUp('whole.tar');
    expect(summary).toMatchObject({ jobs: 2, files: 3 });
    const dataDir = join(folder, 'restored');
    const newest = Math.max(...(await readMigrations(migrations)).map(({ version }) => version));
    expect(newest).toBe(9_002);
    const restored = await restore({ archive: target, dataDir, log, migrationsFolder: migrations });
    expect(restored).toMatchObject({ jobs: 2, files: 3, schemaVersion: 9_002 });

    await opened(dataDir, async (database) => {
      expect(await contentOf(database)).toEqual(before);
      expect((await database.sql`select distinct legs from animal`)[0]).toEqual({ legs: 4 });
      // Sequences go on, foreign keys hold.
      const [row] = await database.sql`insert into zoo (text) values ('next') returning id`;
      expect(row.id).toBe(String(before.zoo.length + 1));
      const stray = database.sql`insert into animal (id, zoo) values (1000000, 0)`;
      expect(await stray.catch((error) => error)).toBeInstanceOf(ForeignKeyViolation);
      const waiting =
        await database.sql`select state, priority, singleton_key = 'k' as keyed, data->'payload' as n,
        start_after, retry_limit as retries from pgboss.job where name = ${kind.name} order by 4`;
      expect(waiting).toMatchObject([
        { state: 'created', priority: 5, keyed: true, n: 1, start_after: later, retries: 3 },
        { state: 'created', priority: 0, keyed: false, n: 2, retries: 3 },
      ]);
      await using queue = openJobQueue({ database, log });
      const done = Promise.withResolvers<number>();
      queue.handle(kind, async ({ payload }) => done.resolve(payload));
      await queue.start();
      expect(await done.promise).toBe(2);
    });
    for (const path of ['keys/signing', `media/ab/${'long-name-'.repeat(20)}.mp4`, 'media/empty']) {
      expect(await readFile(join(dataDir, path))).toEqual(await readFile(join(folder, path)));
    }
    expect((await stat(join(dataDir, 'keys', 'signing'))).mode & 0o777).toBe(0o600);
  }, 30_000);

  test('is one moment, however much is written and deleted meanwhile', async () => {
    const { database } = t;
    const media = join(folder, 'media');
    let writing = true;
    const writer = (async () => {
      for (let n = 1; writing; n++) {
        await database.transaction(async (tx) => {
          await tx`insert into pair_a values (${n})`;
          await tx`insert into pair_b values (${n})`;
        });
        await writeFile(join(media, `churn-${n}`), `${n}`);
        await rm(join(media, `churn-${n - 1}`), { force: true });
      }
    })();
    const { target } = await backUp('busy.tar');
    writing = false;
    await writer;
    const dataDir = join(folder, 'busy');
    await restore({ archive: target, dataDir, log, migrationsFolder: migrations });
    await opened(dataDir, async ({ sql }) => {
      const [a] = await sql`select count(*), sum(n) from pair_a`;
      const [b] = await sql`select count(*), sum(n) from pair_b`;
      expect(a).toEqual(b);
    });
  }, 30_000);

  test('refuses a full folder, a cut archive, a changed one and one of a newer release', async () => {
    const { target } = await backUp('refused.tar');
    const full = join(folder, 'full');
    await mkdir(full);
    await writeFile(join(full, 'mine'), '');
    const attempt = (archive: string, dataDir: string, migrationsFolder = migrations) =>
      restore({ archive, dataDir, log, migrationsFolder }).catch((error) => String(error.message));
    expect(await attempt(target, full)).toContain('is not empty');

    const cut = join(folder, 'cut.tar');
    await cp(target, cut);
    await truncate(cut, (await stat(cut)).size - 3_000_000);
    const empty = join(folder, 'empty');
    expect(await attempt(cut, empty)).toContain('damaged or was cut');

    const changed = join(folder, 'changed.tar');
    const bytes = await readFile(target);
    const at = bytes.indexOf(Buffer.alloc(100_000, 7));
    bytes[at + 50_000] = 8;
    await writeFile(changed, bytes);
    expect(await attempt(changed, empty)).toContain('damaged or was cut');
    expect(await attempt(target, empty, MIGRATIONS_FOLDER)).toContain('which this release does not know');
    expect(await attempt(join(migrations, '9001_old.sql'), empty)).toMatch(/damaged|not a backup/);
    // Nothing half-made is left, neither beside the folder nor in it.
    const left = (await readdir(folder)).filter((name) => name.startsWith('empty'));
    expect(left).toEqual([]);
  }, 30_000);

  test('a backup that fails leaves no file behind', async () => {
    const target = join(folder, 'aborted.tar');
    const signal = AbortSignal.abort(new Error('stopped'));
    const dirs = { mediaDir: join(folder, 'media'), keysDir: join(folder, 'keys') };
    const failed = backup({ url: t.url, ...dirs, target, programVersion: '0', log, signal });
    expect(await failed.catch((error: unknown) => error)).toEqual(new Error('stopped'));
    expect((await readdir(folder)).filter((name) => name.startsWith('aborted'))).toEqual([]);
  });
});
