import type { Config } from '../config/config.ts';
import { createLogger } from '../kernel/log.ts';
import { type OutputOptions, print } from './output.ts';
import { openPlatform } from './platform.ts';

export async function migrateCommand(config: Config, options: OutputOptions): Promise<void> {
  await using platform = await openPlatform(config, createLogger(config.HVIDEO_LOG_LEVEL));
  print(
    options,
    { schemaVersion: platform.schemaVersion },
    `the database is at schema ${platform.schemaVersion}`,
  );
}
