import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireDataLock, type DataLock } from '../adapters/postgres/data-lock.ts';
import { openDatabase, type PostgresDatabase } from '../adapters/postgres/database.ts';
import { startEmbeddedPostgres } from '../adapters/postgres/embedded-server.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import { runningServerUrl } from '../adapters/postgres/running-server.ts';
import { StartError } from '../adapters/postgres/start-error.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';

/** The truth, open and migrated, and the right to use it. */
export interface Platform extends AsyncDisposable {
  readonly database: PostgresDatabase;
  readonly databaseUrl: string;
  readonly schemaVersion: number;
  /** A server runs on this data folder: the database is that server's, and so are the jobs. */
  readonly besideServer: boolean;
}

export interface PlatformOptions {
  readonly onDatabaseLost?: () => void;
  /** For commands that may run beside a server: its database is used instead of being refused. */
  readonly besideServer?: boolean;
}

/**
 * Opens what every command needs, in this order: the lock on the data folder, the database (the embedded one is
 * started, an orphan of an earlier run stopped), the schema. Disposing undoes it backwards.
 */
export async function openPlatform(
  config: Config,
  log: Logger,
  options: PlatformOptions = {},
): Promise<Platform> {
  await using opening = new AsyncDisposableStack();
  await mkdir(config.HVIDEO_DATA, { recursive: true, mode: 0o700 });
  const { url: databaseUrl, besideServer } = config.DATABASE_URL
    ? { url: config.DATABASE_URL, besideServer: false }
    : await embeddedUrl(config, log, options, opening);
  const database = opening.use(
    openDatabase({
      url: databaseUrl,
      maxConnections: config.HVIDEO_DATABASE_CONNECTIONS,
      log: log.child({ part: 'database' }),
      clock: systemClock,
    }),
  );
  const schemaVersion = await migrate({ database, log });
  const opened = opening.move();
  return {
    ...{ database, databaseUrl, schemaVersion, besideServer },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function embeddedUrl(
  config: Config,
  log: Logger,
  options: PlatformOptions,
  opening: AsyncDisposableStack,
): Promise<{ url: string; besideServer: boolean }> {
  let lock: DataLock;
  try {
    lock = opening.use(await acquireDataLock(config.HVIDEO_DATA));
  } catch (error) {
    if (options.besideServer && error instanceof StartError)
      return { url: await runningServerUrl(config.HVIDEO_DATA), besideServer: true };
    throw error;
  }
  const server = opening.use(
    await startEmbeddedPostgres({
      lock,
      log: log.child({ part: 'postgres' }),
      clock: systemClock,
      onChange: (change) => change === 'given-up' && options.onDatabaseLost?.(),
    }),
  );
  return { url: server.url, besideServer: false };
}

export function mediaFolder(config: Config): string {
  return join(config.HVIDEO_DATA, 'media');
}

export function countersFolder(config: Config): string {
  return join(config.HVIDEO_DATA, 'counters');
}

export function timelinesFolder(config: Config): string {
  return join(config.HVIDEO_DATA, 'timelines');
}

export function workFolder(config: Config): string {
  return join(config.HVIDEO_DATA, 'work');
}
