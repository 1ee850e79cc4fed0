import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliResult, databaseProcesses, run } from '../support/cli.ts';

/** Commands that need no database: what they say, and how they end. */
let folder: string;
let taken: Server;
let takenPort: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-cli-'));
  taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  takenPort = String(address !== null && typeof address === 'object' ? address.port : 0);
});
afterAll(async () => {
  taken.close();
  await rm(folder, { recursive: true, force: true });
});

/** A refusal is a sentence on standard error and a failure, never a stack. */
function expectRefusal(result: CliResult, ...words: readonly string[]): void {
  expect(result.code).toBe(1);
  expect(result.stdout).toBe('');
  for (const word of words) expect(result.stderr).toContain(word);
  expect(result.stderr).not.toMatch(/^\s+at /m);
}

interface Report {
  readonly ok: boolean;
  readonly checks: Record<string, { verdict: string; detail: string; mend?: string }>;
}

async function doctor(args: readonly string[] = [], env: Record<string, string> = {}) {
  const all = ['doctor', '--json', '--data', join(folder, 'doctored'), '--port', '0', ...args];
  const { code, stdout } = await run(all, { env });
  return { code, report: JSON.parse(stdout) as Report };
}

describe('hvideo', () => {
  test('says its version and helps with each command', async () => {
    const version = await run(['--version'], { byNode: true });
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = await run(['--help'], { byNode: true });
    const commands = ['serve', 'migrate', 'seed', 'doctor', 'backup', 'restore', 'bench', 'admin'];
    for (const command of commands) expect(help.stdout).toContain(`  ${command} `);
    for (const command of commands) {
      const { code, stdout } = await run([command, '--help']);
      expect([command, code]).toEqual([command, 0]);
      if (command !== 'admin') expect(stdout).toContain('--json');
    }
  });

  test.each([
    [['fly'], 'fly'],
    [['serve', '--fast'], '--fast'],
    [['serve', '--port'], '--port'],
    [['backup'], 'archive'],
    [['bench', 'nothing-at-all'], 'startup'],
    [['admin', 'fly'], 'fly'],
    [['admin', 'role', 'somebody'], 'role'],
    [['admin', 'role', 'somebody', 'emperor'], 'emperor'],
    [['admin', 'create', 'somebody', '--role', 'emperor'], 'emperor'],
  ])('refuses %p', async (args, word) => {
    expectRefusal(await run(args), word);
  });

  test('lists every wrong setting by name, and starts nothing', async () => {
    const data = join(folder, 'wrong');
    const env = {
      HVIDEO_PORT: 'eighty',
      HVIDEO_TYPO: '1',
      HVIDEO_KEYS: '{"jwt": []}',
      HVIDEO_REGISTRATION: 'maybe',
      HVIDEO_NAME_FILE: join(folder, 'missing'),
      DATABASE_URL: 'mysql://x',
    };
    const refused = await run(['serve', '--data', data], { env });
    expectRefusal(refused, 'HVIDEO_TYPO is not a setting', ...Object.keys(env));
    expect(await readdir(folder)).not.toContain('wrong');
  });

  test('refuses a port that is taken, before it makes anything', async () => {
    const refused = await run(['serve', '--data', join(folder, 'late'), '--port', takenPort]);
    expectRefusal(refused, `127.0.0.1:${takenPort}`, '--port');
    expect(await readdir(folder)).not.toContain('late');
  });

  test('refuses to choose roles where processes share nothing, and roles that there are not', async () => {
    const serve = (roles: string, env: Record<string, string> = {}) =>
      run(['serve', '--data', join(folder, 'roles'), '--roles', roles], { env });
    expectRefusal(await serve('api'), 'HVIDEO_ROLES', 'DATABASE_URL', 'REDIS_URL');
    const database = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
    expectRefusal(await serve('gateway', database), 'HVIDEO_ROLES', 'REDIS_URL');
    for (const wrong of ['', 'api,', 'gatway', 'api;worker'])
      expectRefusal(
        await serve(wrong),
        'HVIDEO_ROLES',
        'api, gateway, chat, worker, indexer',
        'the command line',
      );
    expect(await readdir(folder)).not.toContain('roles');
  });

  test('refuses damaged keys rather than making new ones, and leaves no database behind', async () => {
    const data = join(folder, 'damaged');
    await mkdir(join(data, 'keys'), { recursive: true });
    const path = join(data, 'keys', 'keys.json');
    await writeFile(path, '{"jwt": [{"kid": "secret-part"');
    const args = ['admin', 'create', 'somebody', '--data', data];
    const refused = await run(args);
    expectRefusal(refused, path, 'backup');
    expect(refused.stderr).not.toContain('secret-part');
    expect(await databaseProcesses(data)).toEqual([]);
    const { code, report } = await doctor(['--data', data]);
    expect([code, report.checks['keys']?.verdict]).toEqual([1, 'bad']);
  }, 30_000);

  test('refuses a backup into a folder and a restore from an archive that do not exist', async () => {
    const data = join(folder, 'nowhere');
    expectRefusal(await run(['backup', join(folder, 'no', 'x.tar'), '--data', data]), 'does not exist');
    expectRefusal(await run(['restore', join(folder, 'x.tar'), '--data', data]), 'does not exist');
    expect(await readdir(folder)).not.toContain('nowhere');
  });
});

describe('hvideo doctor', () => {
  test('finds everything well on this machine, changes nothing, and exits 0', async () => {
    const { code, report } = await doctor();
    const verdicts = Object.entries(report.checks).filter(([, { verdict }]) => verdict === 'bad');
    expect([code, report.ok, verdicts]).toEqual([0, true, []]);
    for (const check of ['settings', 'data', 'disk', 'ffmpeg', 'database', 'port', 'clock'])
      expect(Object.keys(report.checks)).toContain(check);
    expect(await readdir(folder)).not.toContain('doctored');
  });

  test.each([
    ['a wrong setting', 'settings', [], { HVIDEO_SESSION_DAYS: 'ten' }, 'HVIDEO_SESSION_DAYS'],
    ['a missing ffmpeg', 'ffmpeg', [], { HVIDEO_FFMPEG: '/nowhere/ffmpeg' }, '/nowhere/ffmpeg'],
    [
      'an ffmpeg that is none',
      'ffmpeg',
      [],
      { HVIDEO_FFMPEG: '/bin/true', HVIDEO_FFPROBE: '/bin/true' },
      'libx264',
    ],
    [
      'a database that does not answer',
      'database',
      [],
      { DATABASE_URL: 'postgres://nobody:secret-word@127.0.0.1:1/none' },
      'cannot be reached',
    ],
  ])(
    'names %s with its mend, and exits 1',
    async (_, check, args, env, word) => {
      const { code, report } = await doctor(args, { ...env });
      expect([code, report.ok]).toEqual([1, false]);
      expect(report.checks[check]).toMatchObject({ verdict: 'bad' });
      expect(report.checks[check]?.detail).toContain(word);
      expect(report.checks[check]?.mend ?? '').not.toBe('');
      expect(JSON.stringify(report)).not.toContain('secret-word');
    },
    20_000,
  );

  test('asks for no ffmpeg where no file is looked at, and names the roles that are left to others', async () => {
    const shared = {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
      REDIS_URL: 'redis://127.0.0.1:1',
      HVIDEO_FFMPEG: '/nowhere/ffmpeg',
    };
    const { report } = await doctor(['--roles', 'gateway,chat'], shared);
    expect(report.checks['settings']?.verdict).toBe('good');
    expect(report.checks['settings']?.detail).toContain('api, worker, indexer must run elsewhere');
    expect(Object.keys(report.checks)).not.toContain('ffmpeg');
    const { report: looking } = await doctor(['--roles', 'worker'], shared);
    expect(looking.checks['ffmpeg']?.verdict).toBe('bad');
  }, 20_000);

  test('names a port that is taken, and says it in sentences as well', async () => {
    const { code, report } = await doctor(['--port', takenPort]);
    expect([code, report.checks['port']?.verdict]).toEqual([1, 'bad']);
    const said = await run(['doctor', '--data', join(folder, 'doctored'), '--port', takenPort]);
    expect(said.code).toBe(1);
    expect(said.stdout).toMatch(/^BAD +port +127\.0\.0\.1:\d+ is taken\n +-> /m);
  });
});
