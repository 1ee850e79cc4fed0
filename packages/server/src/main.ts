import { Command, Option } from 'commander';
import { StartError } from './adapters/postgres/start-error.ts';
import { type Config, InvalidSettings, loadConfig, type SettingName } from './config/config.ts';
import { AppError } from './kernel/errors.ts';
import { VERSION } from './main/version.ts';

interface CommonOptions {
  readonly data?: string;
  readonly port?: string;
  readonly host?: string;
  readonly roles?: string;
  readonly json?: boolean;
}

function configOf(options: CommonOptions): Config {
  const overrides: Partial<Record<SettingName, string>> = {};
  if (options.data !== undefined) overrides.HVIDEO_DATA = options.data;
  if (options.port !== undefined) overrides.HVIDEO_PORT = options.port;
  if (options.host !== undefined) overrides.HVIDEO_HOST = options.host;
  if (options.roles !== undefined) overrides.HVIDEO_ROLES = options.roles;
  return loadConfig(process.env, overrides);
}

const dataOption = () => new Option('--data <folder>', 'data folder (HVIDEO_DATA)');
const jsonOption = () => new Option('--json', 'print the result as JSON');

/** Commands are loaded when they are called, so that each starts with no more than it needs. */
function program(): Command {
  const hvideo = new Command('hvideo').description('A short-video community in one program').version(VERSION);

  hvideo
    .command('serve')
    .description('run the server')
    .addOption(dataOption())
    .option('--port <number>', 'port to listen on, 0 picks one (HVIDEO_PORT)')
    .option('--host <address>', 'address to listen on (HVIDEO_HOST)')
    .option('--roles <list>', 'what this process does: api,gateway,chat,worker,indexer (HVIDEO_ROLES)')
    .option('--demo [clips]', 'fill an empty data folder with demo content; a number limits its clips')
    .addOption(jsonOption())
    .action(async (options) => (await import('./main/serve.ts')).serve(configOf(options), options));

  hvideo
    .command('migrate')
    .description('bring the database to this release’s schema')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (options) =>
      (await import('./main/migrate.ts')).migrateCommand(configOf(options), options),
    );

  hvideo
    .command('seed')
    .description('fill an empty data folder with demo content, also while the server runs')
    .addOption(dataOption())
    .option('--clips <number>', 'how many clips; all of them when absent')
    .addOption(jsonOption())
    .action(async (options) => (await import('./main/seed.ts')).seed(configOf(options), options));

  hvideo
    .command('doctor')
    .description('check settings, disk, ffmpeg, database, port and clock')
    .addOption(dataOption())
    .option('--port <number>', 'port that serve would use')
    .option('--roles <list>', 'what serve would do')
    .addOption(jsonOption())
    .action(async (options) => (await import('./main/doctor.ts')).doctor(() => configOf(options), options));

  hvideo
    .command('backup')
    .description('write everything to one archive, also while the server runs')
    .argument('<archive>', 'file to write')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (archive, options) =>
      (await import('./main/backup.ts')).backupCommand(configOf(options), archive, options),
    );

  hvideo
    .command('restore')
    .description('read an archive into an empty data folder')
    .argument('<archive>', 'file that backup wrote')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (archive, options) =>
      (await import('./main/backup.ts')).restoreCommand(configOf(options), archive, options),
    );

  hvideo
    .command('bench')
    .description('measure this machine; prints one line of JSON')
    .argument('[name]', 'what to measure; left out, the names are listed')
    .addOption(jsonOption())
    .action(async (name) => (await import('./main/bench.ts')).bench(name));

  addAdminCommands(hvideo.command('admin').description('manage accounts and keys'));
  return hvideo;
}

function addAdminCommands(admin: Command): void {
  const load = () => import('./main/admin.ts');
  admin
    .command('role')
    .description('make somebody a user, moderator or admin')
    .argument('<username>')
    .addArgument(admin.createArgument('<role>').choices(['user', 'moderator', 'admin']))
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (username, role, options) =>
      (await load()).setRole(configOf(options), { username, role }, options),
    );
  admin
    .command('reset-password')
    .description('give somebody a new random password and end all their logins')
    .argument('<username>')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (username, options) => (await load()).resetPassword(configOf(options), username, options));
  admin
    .command('create')
    .description('make an account with a random password')
    .argument('<username>')
    .addOption(new Option('--role <role>').choices(['user', 'moderator', 'admin']).default('user'))
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (username, options) =>
      (await load()).createAccount(configOf(options), { username, role: options.role }, options),
    );
  admin
    .command('rotate-keys')
    .description('put new signing keys in front; restart the server afterwards')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (options) => (await load()).rotateKeys(configOf(options), options));
}

function fail(error: unknown): never {
  if (error instanceof InvalidSettings) process.stderr.write(`${error.message}\n`);
  else if (error instanceof StartError) process.stderr.write(`${error.message}\n${error.mend}\n`);
  else if (error instanceof AppError && error.status < 500) process.stderr.write(`${refusalOf(error)}\n`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

/** What a feature refuses is an answer, not a fault: a sentence and the fields, without a stack. */
function refusalOf(error: AppError): string {
  const fields = Object.entries(error.fields ?? {}).map(([name, problem]) => `${name} ${problem}`);
  return [error.message, ...fields].join('\n  ');
}

await program().parseAsync(process.argv).catch(fail);
// A command has closed all it opened; what a library still holds must not keep the process.
process.exit(0);
