import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { backup } from '../adapters/postgres/backup.ts';
import { restore } from '../adapters/postgres/restore.ts';
import { StartError } from '../adapters/postgres/start-error.ts';
import type { Config } from '../config/config.ts';
import { keysPath } from '../config/secrets.ts';
import { createLogger } from '../kernel/log.ts';
import { type OutputOptions, print } from './output.ts';
import { mediaFolder, openPlatform } from './platform.ts';
import { VERSION } from './version.ts';

export async function backupCommand(config: Config, archive: string, options: OutputOptions): Promise<void> {
  const log = createLogger(config.HVIDEO_LOG_LEVEL);
  const folder = dirname(resolve(archive));
  if (!existsSync(folder))
    throw new StartError(`the folder ${folder} does not exist`, 'Make it, or name another place.');
  await using platform = await openPlatform(config, log, { besideServer: true });
  const summary = await backup({
    url: platform.databaseUrl,
    mediaDir: mediaFolder(config),
    keysDir: dirname(keysPath(config.HVIDEO_DATA)),
    target: resolve(archive),
    programVersion: VERSION,
    log,
  });
  print(options, summary, `${summary.rows} rows and ${summary.files} files are in ${archive}`);
}

export async function restoreCommand(config: Config, archive: string, options: OutputOptions): Promise<void> {
  if (config.DATABASE_URL !== undefined)
    throw new StartError(
      'a backup is restored into an embedded database, and DATABASE_URL names another one',
      'Leave DATABASE_URL out; what is restored can be moved from there.',
    );
  if (!existsSync(resolve(archive)))
    throw new StartError(`${archive} does not exist`, 'Name a file that `hvideo backup` wrote.');
  const log = createLogger(config.HVIDEO_LOG_LEVEL);
  const summary = await restore({ archive: resolve(archive), dataDir: config.HVIDEO_DATA, log });
  print(options, summary, `${config.HVIDEO_DATA} is restored, at schema ${summary.schemaVersion}`);
}
