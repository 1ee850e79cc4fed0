import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account, AuthSession, Instance, Page, Session, UserProfile } from '@hvideo/protocol';
import { SQL } from 'bun';
import { runningServerUrl } from '../../src/adapters/postgres/running-server.ts';
import { ApiUser } from '../support/api.ts';
import { type CliProcess, databaseProcesses, hvideo, postmastersOf, readyUrl, run } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';

/** Commands beside a running server, and every way in which one of its processes can die. */
let root: string;
let data: string;
let server: CliProcess;
let url: string;
let chief: ApiUser;
let chiefPassword: string;
const started: CliProcess[] = [];

function serve(folder: string, options: Parameters<typeof hvideo>[1] = {}): CliProcess {
  const child = hvideo(['serve', '--data', folder, '--port', '0'], options);
  started.push(child);
  return child;
}

interface Made {
  readonly username: string;
  readonly password: string;
}

async function made(args: readonly string[]): Promise<Made> {
  const { code, stdout, stderr } = await run([...args, '--json']);
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as Made;
}

async function logIn(login: string, password: string, at = url): Promise<ApiUser> {
  const user = new ApiUser(at);
  const answer = await user.call<AuthSession>('POST', '/auth/login', { body: { login, password } });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  user.id = answer.body.user.id;
  user.accessToken = answer.body.accessToken;
  user.refreshToken = answer.body.refreshToken;
  return user;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hvideo-cli-server-'));
  data = join(root, 'data');
  // No server runs yet: the command starts the database, and stops it again.
  chiefPassword = (await made(['admin', 'create', 'chief', '--role', 'admin', '--data', data])).password;
  expect(await databaseProcesses(data)).toEqual([]);
  server = serve(data, { byNode: 'parent' });
  url = await readyUrl(server);
  chief = await logIn('chief', chiefPassword);
}, 60_000);

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await Promise.all(started.map(({ exited }) => exited));
  // Servers that were killed have left their databases; each next command on a folder stops that one.
  for (const folder of [data, join(root, 'restored'), join(root, 'interrupted')])
    if ((await databaseProcesses(folder)).length > 0) await run(['migrate', '--data', folder]);
  await rm(root, { recursive: true, force: true });
}, 60_000);

describe('beside a running server', () => {
  test('an account is made, promoted and given a new password', async () => {
    const { password } = await made(['admin', 'create', 'helper', '--data', data]);
    const helper = await logIn('helper', password);
    expect(await run(['admin', 'role', '@Helper', 'moderator', '--data', data])).toMatchObject({
      code: 0,
      stdout: '@Helper is a moderator now\n',
    });
    const reset = await made(['admin', 'reset-password', 'helper', '--data', data]);
    expect(reset.password).not.toBe(password);
    const old = { login: 'helper', password };
    const visitor = new ApiUser(url);
    expect((await visitor.call('POST', '/auth/login', { body: old })).body.code).toBe('bad-credentials');
    const refresh = { refreshToken: helper.refreshToken };
    expect((await visitor.call('POST', '/auth/refresh', { body: refresh })).body.code).toBe('token-invalid');
    const again = await logIn('helper', reset.password);
    expect((await again.call<Account>('GET', '/users/me')).body.role).toBe('moderator');
    expect((await again.call('GET', '/invitations')).status).toBe(200);
    expect((await again.call<Page<Session>>('GET', '/users/me/sessions')).body.items.length).toBe(1);
  }, 30_000);

  test('what cannot be done is refused in a sentence', async () => {
    const refusals = [
      [['admin', 'role', 'nobody_here', 'admin'], 'No account has this username'],
      [['admin', 'role', 'chief', 'user'], 'last admin'],
      [['admin', 'create', 'chief'], 'taken'],
      [['admin', 'create', 'Not A Name'], 'username must be'],
    ] as const;
    const results = await Promise.all(refusals.map(([args]) => run([...args, '--data', data])));
    for (const [index, { code, stdout, stderr }] of results.entries()) {
      const [args, word] = refusals[index] ?? [[], ''];
      expect([args, code, stdout]).toEqual([args, 1, '']);
      expect(stderr).toContain(word);
      expect(stderr).not.toMatch(/^\s+at /m);
    }
  }, 30_000);

  test('a second server on the folder is refused at once, and the first goes on', async () => {
    const startedAtMs = performance.now();
    const second = await run(['serve', '--data', data, '--port', '0'], { byNode: true });
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect([second.code, second.stdout]).toEqual([1, '']);
    expect(second.stderr).toMatch(/the data folder .* is in use by process \d+ /);
    expect(second.stderr).toContain('another data folder');
    expect(second.stderr).not.toMatch(/^\s+at /m);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const doctor = await run(['doctor', '--data', data, '--port', new URL(url).port]);
    expect(doctor.stdout).toContain('by the running server');
    expect(doctor.code).toBe(0);
  }, 30_000);

  test('a backup is taken, and restored into an empty folder it serves the same', async () => {
    await chief.call('PATCH', '/users/me', { body: { bio: 'In the backup 备份' } });
    const archive = join(root, 'backup.tar');
    const summary = JSON.parse((await run(['backup', archive, '--data', data, '--json'])).stdout);
    expect(summary.rows).toBeGreaterThan(3);
    expect((await run(['backup', archive, '--data', data])).stderr).toContain('exists already');
    await chief.call('PATCH', '/users/me', { body: { bio: 'After the backup' } });
    const into = await run(['restore', archive, '--data', data]);
    expect([into.code, into.stdout]).toEqual([1, '']);
    expect(into.stderr).toContain('is not empty');

    const restored = join(root, 'restored');
    expect((await run(['restore', archive, '--data', restored, '--json'])).code).toBe(0);
    expect(await databaseProcesses(restored)).toEqual([]);
    const second = serve(restored);
    const secondUrl = await readyUrl(second);
    // The keys came along: a login at the first is one at the second, until its token expires.
    const there = new ApiUser(secondUrl);
    there.accessToken = chief.accessToken;
    const same = await there.call<UserProfile>('GET', '/users/me');
    expect(same.body).toMatchObject({ id: chief.id, username: 'chief', bio: 'In the backup 备份' });
    const facts = async (at: string) => (await new ApiUser(at).call<Instance>('GET', '/instance')).body;
    expect(await facts(secondUrl)).toEqual(await facts(url));
    expect((await logIn('chief', chiefPassword, secondUrl)).id).toBe(chief.id);

    const sql = new SQL(await runningServerUrl(restored), { max: 1 });
    await sql`insert into schema_migration (version, name, checksum) values (9999, 'later', 'x')`;
    await sql.close();
    second.kill('SIGTERM');
    expect(await second.exited).toBe(0);
    expect(await databaseProcesses(restored)).toEqual([]);
  }, 60_000);

  test('data of a newer release is refused, and its database stopped again', async () => {
    const restored = join(root, 'restored');
    const { code, stdout, stderr } = await run(['serve', '--data', restored, '--port', '0']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('newer than this program');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(await databaseProcesses(restored)).toEqual([]);
  }, 30_000);
});

/** The pid of the server itself, which the launcher started. */
async function serverPid(): Promise<number> {
  return JSON.parse(await readFile(join(data, 'lock.json'), 'utf8')).pid;
}

const isAlive = async (pid: number) => {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/\) Z /.test(status);
};

describe('kill -9', () => {
  const whole = async () => {
    const user = await logIn('chief', chiefPassword);
    return (await user.call<UserProfile>('GET', '/users/me')).body.username;
  };

  test('of PostgreSQL: the server starts it again and goes on', async () => {
    const [postmaster = 0] = await postmastersOf(data);
    process.kill(postmaster, 'SIGKILL');
    const replaced = async () => (await postmastersOf(data)).some((pid) => pid !== postmaster);
    await eventually(async () => (await replaced()) && (await fetch(`${url}/readyz`)).ok, 15_000);
    expect(await whole()).toBe('chief');
    const now = await postmastersOf(data);
    expect(now.length).toBe(1);
    expect(now[0]).not.toBe(postmaster);
    expect(server.output.stdout).toBe(`ready ${url}\n`);
  }, 30_000);

  test('of the launcher: the server drains and ends, and takes its database with it', async () => {
    const pid = await serverPid();
    expect(pid).not.toBe(server.pid);
    server.kill('SIGKILL');
    await server.exited;
    await eventually(async () => !(await isAlive(pid)), 15_000);
    expect(await databaseProcesses(data)).toEqual([]);
    server = serve(data);
    url = await readyUrl(server);
    expect(await whole()).toBe('chief');
  }, 30_000);

  test.each([true, 'parent'] as const)(
    'SIGTERM to the shell that npm runs it in: it drains and ends (by Node: %p)',
    async (byNode) => {
      const folder = join(root, `shell-${byNode}`);
      const shell = serve(folder, { byNode, byShell: true });
      await readyUrl(shell);
      const { pid } = JSON.parse(await readFile(join(folder, 'lock.json'), 'utf8'));
      shell.kill('SIGTERM');
      await eventually(async () => !(await isAlive(pid)), 15_000);
      expect(await databaseProcesses(folder)).toEqual([]);
    },
    40_000,
  );

  test('of the server: the next start stops the database that was left, and is ready within five seconds', async () => {
    const [orphan] = await postmastersOf(data);
    server.kill('SIGKILL');
    await server.exited;
    expect(await postmastersOf(data)).toEqual([orphan ?? 0]);
    const startedAtMs = performance.now();
    server = serve(data);
    url = await readyUrl(server);
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    expect(await whole()).toBe('chief');
    const now = await postmastersOf(data);
    expect(now.length).toBe(1);
    expect(now).not.toContain(orphan ?? 0);
  }, 30_000);
});

test('SIGTERM during the start ends the program with 0 and leaves nothing running; the next start is good', async () => {
  const folder = join(root, 'interrupted');
  const moments: ((child: CliProcess) => Promise<boolean>)[] = [
    // The database is just being made, or started.
    async () => (await readdir(folder).catch(() => [])).some((name) => name.startsWith('postgres')),
    async ({ output }) => output.stderr.includes('PostgreSQL serves'),
  ];
  for (const isTime of moments) {
    const child = serve(folder, { env: { HVIDEO_LOG_LEVEL: 'debug' } });
    await eventually(() => isTime(child));
    child.kill('SIGTERM');
    expect([await child.exited, child.output.stdout]).toEqual([0, '']);
    expect(await databaseProcesses(folder)).toEqual([]);
  }
  const next = serve(folder);
  await readyUrl(next);
  next.kill('SIGTERM');
  expect(await next.exited).toBe(0);
  expect(await databaseProcesses(folder)).toEqual([]);
}, 40_000);
