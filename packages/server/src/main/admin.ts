import type { Role } from '@hvideo/protocol';
import { StartError } from '../adapters/postgres/start-error.ts';
import type { Config } from '../config/config.ts';
import { loadSecrets, rotateSecrets } from '../config/secrets.ts';
import { createLogger } from '../kernel/log.ts';
import { randomToken, systemRandom } from '../kernel/random.ts';
import { composeFeatures, type Features } from './features.ts';
import { type OutputOptions, print } from './output.ts';
import { openPlatform } from './platform.ts';

const passwordBytes = 12;

export async function setRole(
  config: Config,
  { username, role }: { username: string; role: Role },
  options: OutputOptions,
): Promise<void> {
  await withFeatures(config, ({ accounts }) => accounts.administration.setRoleByName(username, role));
  print(options, { username, role }, `${username} is ${role === 'admin' ? 'an' : 'a'} ${role} now`);
}

export async function resetPassword(config: Config, username: string, options: OutputOptions): Promise<void> {
  const password = await withFeatures(config, ({ accounts }) =>
    accounts.administration.resetPassword(username),
  );
  print(options, { username, password }, `the new password of ${username}: ${password}`);
}

export async function createAccount(
  config: Config,
  { username, role }: { username: string; role: Role },
  options: OutputOptions,
): Promise<void> {
  const password = randomToken(systemRandom, passwordBytes);
  const id = await withFeatures(config, ({ accounts }) =>
    accounts.registration.create({ username, password, role }),
  );
  print(options, { id, username, role, password }, `${username} (${role}) has the password ${password}`);
}

export async function rotateKeys(config: Config, options: OutputOptions): Promise<void> {
  if (config.HVIDEO_KEYS !== undefined)
    throw new StartError('the keys come from HVIDEO_KEYS', 'Put a new key in front of each list there.');
  await rotateSecrets(config.HVIDEO_DATA);
  print(options, { rotated: true }, 'new keys sign from the next start on; the former two still verify');
}

/** Works beside a running server as well: it uses that server's database. */
async function withFeatures<T>(config: Config, work: (features: Features) => Promise<T>): Promise<T> {
  const log = createLogger(config.HVIDEO_LOG_LEVEL === 'info' ? 'warn' : config.HVIDEO_LOG_LEVEL);
  await using platform = await openPlatform(config, log, { besideServer: true });
  const secrets = await loadSecrets({ keysJson: config.HVIDEO_KEYS, dataDir: config.HVIDEO_DATA });
  await using features = await composeFeatures({ config, log, platform, secrets, demo: false, roles: [] });
  return await work(features);
}
