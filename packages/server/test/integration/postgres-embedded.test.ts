import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQL } from 'bun';
import { markerOf } from '../../src/adapters/postgres/cluster.ts';
import { acquireDataLock } from '../../src/adapters/postgres/data-lock.ts';
import { openDatabase } from '../../src/adapters/postgres/database.ts';
import {
  type EmbeddedServerOptions,
  type ServerChange,
  startEmbeddedPostgres,
  stopOrphan,
} from '../../src/adapters/postgres/embedded-server.ts';
import { clusterProcesses } from '../../src/adapters/postgres/processes.ts';
import { StartError } from '../../src/adapters/postgres/start-error.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { testLog as log } from '../support/database.ts';

/** Mode 0700 and, where the tests run as root, root's: PostgreSQL's own user cannot pass it. */
let root: string;
let dataDir: string;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hvideo-embedded-'));
  dataDir = join(root, 'data');
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await rm(root, { recursive: true, force: true });
});

async function start(over: Partial<EmbeddedServerOptions> = {}, folder = dataDir) {
  const lock = await acquireDataLock(folder);
  cleanups.push(() => lock.release());
  const server = await startEmbeddedPostgres({ lock, log, ...over });
  cleanups.push(() => server.stop());
  const database = openDatabase({ url: server.url, maxConnections: 2, log });
  cleanups.push(() => database.close());
  const stop = async () => {
    await database.close();
    await server.stop();
    await lock.release();
  };
  return { server, database, sql: database.sql, stop };
}

const postmasterOf = async (folder = dataDir) =>
  Number((await readFile(join(folder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0]);

/** A process of the program, with the numbers that were acknowledged to it. */
function victim() {
  const script = join(import.meta.dir, '..', 'support', 'embedded-process.ts');
  const child = Bun.spawn([process.execPath, script, dataDir], { stdout: 'pipe', stderr: 'inherit' });
  const seen = { acknowledged: 0 };
  const read = (async () => {
    let rest = '';
    for await (const chunk of child.stdout) {
      const lines = (rest + new TextDecoder().decode(chunk)).split('\n');
      rest = lines.pop() ?? '';
      seen.acknowledged = Number(lines.at(-1) ?? seen.acknowledged);
    }
  })();
  const kill = async () => {
    child.kill('SIGKILL');
    await child.exited;
    await read;
  };
  cleanups.push(async () => {
    await kill();
    await using lock = await acquireDataLock(dataDir);
    await stopOrphan(lock);
  });
  return { child, seen, kill };
}

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('startEmbeddedPostgres', () => {
  test('serves with safe settings, keeps what was written, and leaves nothing running', async () => {
    const first = await start();
    const settings = await first.sql`select name, setting from pg_settings where name in
      ('fsync', 'synchronous_commit', 'wal_level', 'listen_addresses', 'password_encryption', 'server_encoding')`;
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      wal_level: 'logical',
      listen_addresses: '127.0.0.1',
      password_encryption: 'scram-sha-256',
      server_encoding: 'UTF8',
    });
    const [locale] = await first.sql`select datlocprovider as provider, datlocale as locale from pg_database
      where datname = current_database()`;
    expect(locale).toEqual({ provider: 'b', locale: 'C.UTF-8' });
    expect((await stat(join(dataDir, 'postgres', 'password'))).mode & 0o777).toBe(0o600);
    const stranger = new SQL(first.server.url.replace(/:[^:@]+@/, ':wrong@'), { max: 1 });
    expect(await reasonOf(stranger`select 1`)).toMatchObject({ errno: '28P01' });
    await stranger.close({ timeout: 0 });

    await first.sql`create table kept as select 42 as n`;
    const marker = await markerOf(join(dataDir, 'postgres'));
    expect(await clusterProcesses(marker)).not.toEqual([]);
    await first.stop();
    expect(await clusterProcesses(marker)).toEqual([]);
    expect((await readdir('/run').catch(() => [])).filter((name) => name === marker)).toEqual([]);

    const startedAtMs = performance.now();
    const second = await start();
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
    expect(await second.sql`select n from kept`).toEqual([{ n: 42 }]);
  }, 20_000);

  test('a killed postmaster is started again at the same place, and nothing acknowledged is lost', async () => {
    const changes: ServerChange[] = [];
    const { server, database } = await start({ onChange: (change) => changes.push(change) });
    const { url } = server;
    await database.sql`create table acknowledged (n int4)`;
    let acknowledged = 0;
    const write = async (n: number) => {
      try {
        await database.sql`insert into acknowledged values (${n})`;
        acknowledged += 1;
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'database-unavailable')) throw error;
      }
    };
    const postmaster = await postmasterOf();
    const deadline = performance.now() + 10_000;
    for (let n = 1; !changes.includes('restarted') || acknowledged < 200; n++) {
      if (n === 100) process.kill(postmaster, 'SIGKILL');
      await write(n);
      if (performance.now() > deadline) throw new Error(`no restart within 10 s: ${changes}`);
    }
    expect(changes).toEqual(['died', 'restarted']);
    expect(server.url).toBe(url);
    expect(await postmasterOf()).not.toBe(postmaster);
    const [row] = await database.sql`select count(distinct n)::int4 as n from acknowledged`;
    expect(row.n).toBeGreaterThanOrEqual(acknowledged);
  }, 20_000);

  test('after kill -9 of the program its orphan is stopped, and nothing acknowledged is lost', async () => {
    const { seen, kill } = victim();
    await until(() => seen.acknowledged > 200);
    await kill();
    const orphan = await postmasterOf();
    expect(process.kill(orphan, 0)).toBe(true);
    const startedAtMs = performance.now();
    const { sql } = await start();
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(await postmasterOf()).not.toBe(orphan);
    const marker = await markerOf(join(dataDir, 'postgres'));
    const postmasters = (await clusterProcesses(marker)).filter(({ postmaster }) => postmaster);
    expect(postmasters).toEqual([{ pid: await postmasterOf(), postmaster: true }]);
    const [row] = await sql`select max(n) as last, count(*)::int4 as rows from acknowledged`;
    expect(row.last).toBeGreaterThanOrEqual(seen.acknowledged);
    expect(row.rows).toBe(row.last);
  }, 20_000);

  test('after kill -9 of program and server together it recovers', async () => {
    const { seen, kill } = victim();
    await until(() => seen.acknowledged > 200);
    const marker = await markerOf(join(dataDir, 'postgres'));
    for (const { pid } of await clusterProcesses(marker)) process.kill(pid, 'SIGKILL');
    await kill();
    const { sql } = await start();
    const [row] = await sql`select max(n) as last from acknowledged`;
    expect(row.last).toBeGreaterThanOrEqual(seen.acknowledged);
  }, 20_000);

  test('kill -9 in the middle of initdb leaves nothing half', async () => {
    const { kill } = victim();
    const drafts = async () =>
      (await readdir(dataDir).catch(() => [])).filter((name) => name.includes('.new-'));
    await until(async () => {
      const [draft] = await drafts();
      if (!draft) return false;
      return stat(join(dataDir, draft, 'cluster', 'base')).then(
        () => true,
        () => false,
      );
    });
    await kill();
    expect(await drafts()).toHaveLength(1);
    const { sql } = await start();
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
    expect(await drafts()).toEqual([]);
  }, 20_000);

  test('a second instance on the same folder is refused, with the name of the first', async () => {
    const { seen, child } = victim();
    await until(() => seen.acknowledged > 0);
    const refusal = await reasonOf(acquireDataLock(dataDir));
    expect(refusal).toBeInstanceOf(StartError);
    expect(String(refusal)).toContain(`in use by process ${child.pid} `);
    expect(String(refusal)).toContain(dataDir);
  }, 20_000);

  test('a stale pid file that names somebody else hurts nobody', async () => {
    const first = await start();
    await first.stop();
    const bystander = Bun.spawn(['sleep', '60']);
    cleanups.push(async () => bystander.kill());
    const lines = [
      bystander.pid,
      join(dataDir, 'postgres', 'cluster'),
      1,
      5432,
      '',
      '127.0.0.1',
      '',
      'ready',
    ];
    await writeFile(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), `${lines.join('\n')}\n`);
    const second = await start();
    expect(await second.sql`select 1 as one`).toEqual([{ one: 1 }]);
    expect(bystander.exitCode).toBe(null);
  }, 20_000);

  test('a copy of the folder is started beside the original, which stays alive', async () => {
    const first = await start();
    await first.sql`create table which as select 'original' as name`;
    await first.stop();
    const copy = join(root, 'copy');
    await Bun.spawn(['cp', '-a', dataDir, copy]).exited;
    const original = await start();
    await cp(
      join(dataDir, 'postgres', 'cluster', 'postmaster.pid'),
      join(copy, 'postgres', 'cluster', 'postmaster.pid'),
    );
    const second = await start({}, copy);
    await second.sql`update which set name = 'copy'`;
    expect(await original.sql`select name from which`).toEqual([{ name: 'original' }]);
  }, 20_000);

  test('data of another major version, or of nobody, is refused with the mend', async () => {
    await (await start()).stop();
    const versionFile = join(dataDir, 'postgres', 'cluster', 'PG_VERSION');
    await writeFile(versionFile, '17\n');
    const old = await reasonOf(start());
    expect(old).toBeInstanceOf(StartError);
    expect(String(old)).toContain('written by PostgreSQL 17');
    await cleanups.pop()?.();
    await rm(versionFile);
    expect(String(await reasonOf(start()))).toContain('holds no database');
  }, 20_000);
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition did not come true within 10 s');
    await Bun.sleep(2);
  }
}
