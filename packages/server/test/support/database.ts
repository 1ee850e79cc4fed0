import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQL } from 'bun';
import pino from 'pino';
import { acquireDataLock } from '../../src/adapters/postgres/data-lock.ts';
import { openDatabase, type PostgresDatabase } from '../../src/adapters/postgres/database.ts';
import { type EmbeddedServer, startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-server.ts';
import { migrate } from '../../src/adapters/postgres/migrate.ts';

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly database: PostgresDatabase;
}

export interface TestDatabaseOptions {
  readonly maxConnections?: number;
  /** False for an empty database without our tables. */
  readonly migrated?: boolean;
}

/** Quiet unless a test is being looked into: `HVIDEO_TEST_LOG=debug`. */
export const testLog = pino({ level: process.env.HVIDEO_TEST_LOG ?? 'silent' });

const TEMPLATE = 'hvideo_template';

/**
 * A fresh, migrated database (15 ms) in a PostgreSQL that all suites of this process share (1 s, once). Dispose of
 * it in `afterAll`; the server goes with the process.
 */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  shared ??= startShared();
  const server = await shared;
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`;
  const template = options.migrated === false ? 'template1' : TEMPLATE;
  await administer(server.url, `create database ${name} template ${template} strategy file_copy`);
  const url = urlOf(server.url, name);
  const database = openDatabase({ url, maxConnections: options.maxConnections ?? 8, log: testLog });
  return {
    url,
    database,
    async [Symbol.asyncDispose]() {
      await database.close();
      await administer(server.url, `drop database ${name} with (force)`);
    },
  };
}

let shared: Promise<EmbeddedServer> | undefined;

async function startShared(): Promise<EmbeddedServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hvideo-test-'));
  // Where the tests run as root, PostgreSQL's own user has to pass.
  await chmod(dataDir, 0o711);
  cleanUpAfterUs(dataDir);
  const lock = await acquireDataLock(dataDir);
  const server = await startEmbeddedPostgres({ lock, log: testLog, fsync: false });
  await administer(server.url, `create database ${TEMPLATE} strategy file_copy`);
  await using database = openDatabase({ url: urlOf(server.url, TEMPLATE), maxConnections: 1, log: testLog });
  await migrate({ database, log: testLog });
  return server;
}

const CLEAN_UP = `
trap '' TERM INT HUP
cat >/dev/null
pid_file="$1/postgres/cluster/postmaster.pid"
[ -e "$pid_file" ] && kill -QUIT "$(head -n 1 "$pid_file")" 2>/dev/null
tries=0
while [ -e "$pid_file" ] && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
rm -rf "$1"`;

/**
 * Bun's test runner ends without running exit handlers, and a run may be killed. This shell reads our pipe, which
 * the kernel closes when we are gone, however that came about; then it ends the server and removes its folder. It
 * ignores signals because the runner sends them to all children when a test takes too long.
 */
function cleanUpAfterUs(dataDir: string): void {
  const output = { stdin: 'pipe', stdout: 'ignore', stderr: 'ignore' } as const;
  Bun.spawn(['/bin/sh', '-c', CLEAN_UP, 'sh', dataDir], { ...output, cwd: '/', detached: true }).unref();
}

async function administer(url: string, statement: string): Promise<void> {
  await using sql = new SQL(url, { max: 1 });
  await sql.unsafe(statement);
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}
