import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Account, AuthSession, Page, Session } from '@hvideo/protocol';
import type { Caller, Viewer } from '../../src/features/accounts/index.ts';
import { type AccountsStack, accountsStack } from '../support/accounts-stack.ts';
import { ApiUser, passwordOf } from '../support/api.ts';
import { codeOf } from '../support/errors.ts';

let t: AccountsStack;
let admin: ApiUser;
let count = 0;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

beforeAll(async () => {
  t = await accountsStack();
  admin = await new ApiUser(t.url).join('chief');
  await t.accounts.administration.setRole(admin.id, 'admin');
}, 30_000);
afterAll(async () => t[Symbol.asyncDispose]());

const visitor = () => new ApiUser(t.url);
const newName = () => `person_${count++}`;
const member = (username = newName()) => visitor().join(username);
const caller = (): Caller => ({ address: `10.1.${count >> 8}.${count++ & 255}`, userAgent: 'curl/8.0' });

/** A further login of the same person. */
async function device(username: string, userAgent = 'curl/8.0'): Promise<ApiUser> {
  const user = visitor();
  const body = { login: username, password: passwordOf(username) };
  const answer = await user.call<AuthSession>('POST', '/auth/login', {
    body,
    headers: { 'user-agent': userAgent },
  });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  user.id = answer.body.user.id;
  user.accessToken = answer.body.accessToken;
  user.refreshToken = answer.body.refreshToken;
  return user;
}

const viewerOf = (user: ApiUser): Promise<Viewer> =>
  t.accounts.authentication.verifyAccessToken(user.accessToken ?? '');
const isIn = async (user: ApiUser) => (await user.call('GET', '/users/me')).status === 200;
const sessionsOf = async (id: string): Promise<number> =>
  (await t.db.sql`select count(*)::int4 as n from session where account_id = ${id}`)[0].n;
const refresh = (token: string | undefined, key?: string) => t.accounts.sessions.refresh(token ?? '', key);

describe('refresh tokens', () => {
  test('rotate: each works once and brings the next, and the access tokens of earlier ones go on', async () => {
    const user = await member();
    const tokens = [user.refreshToken ?? ''];
    for (let n = 0; n < 5; n++) tokens.push((await refresh(tokens.at(-1))).refreshToken);
    expect(new Set(tokens).size).toBe(6);
    expect(await isIn(user)).toBe(true);
    expect(await sessionsOf(user.id)).toBe(1);
  });

  test.each([0, 1, 2])('reused %d generations later end the whole family', async (later) => {
    const user = await member();
    const tokens = [user.refreshToken ?? ''];
    for (let n = 0; n <= later; n++) tokens.push((await refresh(tokens.at(-1), `key-${n}`)).refreshToken);
    expect(await codeOf(refresh(tokens[0]))).toBe('token-reused');
    for (const token of tokens) expect(await codeOf(refresh(token, 'key-0'))).toBe('token-invalid');
    expect(await isIn(user)).toBe(false);
  });

  test('end only their own login', async () => {
    const name = newName();
    const user = await member(name);
    const other = await device(name);
    await refresh(user.refreshToken);
    expect(await codeOf(refresh(user.refreshToken))).toBe('token-reused');
    expect(await isIn(other)).toBe(true);
    expect(await codeOf(refresh(other.refreshToken))).toBe('none');
  });

  test('raced without a key: one gets through, the others end the login for everybody', async () => {
    const user = await member();
    const race = await Promise.allSettled(Array.from({ length: 4 }, () => refresh(user.refreshToken)));
    const won = race.filter((outcome) => outcome.status === 'fulfilled');
    expect(won.length).toBe(1);
    expect(await codeOf(refresh(won[0]?.value.refreshToken))).toBe('token-invalid');
    expect(await isIn(user)).toBe(false);
    expect(await sessionsOf(user.id)).toBe(0);
  });

  test('raced with one key: all get the same next token', async () => {
    const user = await member();
    const race = await Promise.all(Array.from({ length: 4 }, () => refresh(user.refreshToken, 'same')));
    expect(new Set(race.map(({ refreshToken }) => refreshToken)).size).toBe(1);
    expect(await isIn(user)).toBe(true);
    expect(await codeOf(refresh(race[0]?.refreshToken))).toBe('none');
  });

  test('raced with two keys: whoever is second has not made the present generation', async () => {
    const user = await member();
    const race = await Promise.allSettled([refresh(user.refreshToken, 'a'), refresh(user.refreshToken, 'b')]);
    expect(race.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(await sessionsOf(user.id)).toBe(0);
  });

  test('repeated with the key of a generation that has passed: the login ends', async () => {
    const user = await member();
    const second = await refresh(user.refreshToken, 'first');
    await refresh(second.refreshToken, 'second');
    expect(await codeOf(refresh(user.refreshToken, 'first'))).toBe('token-reused');
    expect(await sessionsOf(user.id)).toBe(0);
  });

  test('cannot be made up, changed or moved to another login', async () => {
    const [mine, theirs] = [await member(), await member()];
    const [id = '', generation = '', tag = ''] = (mine.refreshToken ?? '').split('.');
    const [theirId = ''] = (theirs.refreshToken ?? '').split('.');
    const forged = [
      `${theirId}.${generation}.${tag}`,
      `${id}.2.${tag}`,
      `${id}.${generation}.${'A'.repeat(43)}`,
      `${id}.${generation}`,
      '',
      'x',
      `${id}.01.${tag}`,
    ];
    for (const token of forged) expect(await codeOf(refresh(token))).toBe('token-invalid');
    expect(await isIn(theirs)).toBe(true);
    expect(await codeOf(refresh(mine.refreshToken))).toBe('none');
  });

  test('expire after sixty days without use, and each use begins them anew', async () => {
    const [idle, used] = [await member(), await member()];
    t.clock.aheadMs += 40 * DAY_MS;
    const next = await refresh(used.refreshToken);
    t.clock.aheadMs += 21 * DAY_MS;
    expect(await codeOf(refresh(idle.refreshToken))).toBe('token-invalid');
    expect(await codeOf(refresh(next.refreshToken))).toBe('none');
    admin = await device('chief');
  });

  test('are handed out as cookies that scripts cannot read, and rotate there as well', async () => {
    const name = newName();
    await member(name);
    const body = { login: name, password: passwordOf(name), session: 'cookie' };
    const login = await visitor().call<AuthSession>('POST', '/auth/login', { body });
    expect(login.body.refreshToken).toBeUndefined();
    const cookies = login.headers.getSetCookie();
    expect(cookies.length).toBe(2);
    for (const cookie of cookies) expect(cookie).toContain('HttpOnly');
    const jar = cookies.map((cookie) => cookie.split(';')[0]).join('; ');
    const again = await visitor().call('POST', '/auth/refresh', { body: {}, headers: { cookie: jar } });
    expect(again.status).toBe(200);
    const stolen = await visitor().call('POST', '/auth/refresh', { body: {}, headers: { cookie: jar } });
    expect(stolen.body.code).toBe('token-reused');
    const elsewhere = { cookie: jar, origin: 'https://evil.example' };
    const forged = await visitor().call('POST', '/auth/refresh', { body: {}, headers: elsewhere });
    expect(forged.body.code).toBe('cross-origin');
  });
});

describe('access tokens', () => {
  test('expire, and a refresh brings one that holds', async () => {
    const user = await member();
    t.clock.aheadMs += 9 * MINUTE_MS;
    expect(await isIn(user)).toBe(true);
    t.clock.aheadMs += MINUTE_MS;
    expect((await user.call('GET', '/users/me')).body.code).toBe('token-invalid');
    user.accessToken = (await refresh(user.refreshToken)).accessToken;
    expect(await isIn(user)).toBe(true);
    admin = await device('chief');
  });

  test('of another signer, without a signature or with a changed payload are refused', async () => {
    const user = await member();
    const [header = '', payload = '', signature = ''] = (user.accessToken ?? '').split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = [
      `${header}.${encode({ ...claims, sub: admin.id })}.${signature}`,
      `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'test' })}.${payload}.${signature}`,
      `${encode({ alg: 'EdDSA', typ: 'at+jwt', kid: 'unknown' })}.${payload}.${signature}`,
      `${encode({ alg: 'EdDSA', typ: 'JWT', kid: 'test' })}.${payload}.${signature}`,
      user.refreshToken ?? '',
    ];
    for (const token of forged) {
      const answer = await visitor().call('GET', '/users/me', {
        headers: { authorization: `Bearer ${token}` },
      });
      expect([token, answer.status, answer.body.code]).toEqual([token, 401, 'token-invalid']);
    }
  });
});

describe('devices', () => {
  test('are listed with name and address, the last used first, in pages without holes or doubles', async () => {
    const name = newName();
    const user = await member(name);
    t.clock.aheadMs += MINUTE_MS;
    const phone = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36';
    await device(name, phone);
    t.clock.aheadMs += MINUTE_MS;
    await device(name, '<script>alert(1)</script>');
    const seen: Session[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor === '' ? '?limit=1' : `?limit=1&cursor=${encodeURIComponent(cursor)}`;
      const page: Page<Session> = (await user.call<Page<Session>>('GET', `/users/me/sessions${query}`)).body;
      seen.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(new Set(seen.map(({ id }) => id)).size).toBe(3);
    expect(seen.map(({ device }) => device).toSorted()).toEqual(
      ['Bun', 'Chrome on Android', 'scriptalert'].toSorted(),
    );
    expect(seen.filter(({ current }) => current).length).toBe(1);
    expect(seen.every(({ address }) => address === '127.0.0.1')).toBe(true);
  });

  test('that are logged out are out at once, everywhere', async () => {
    const name = newName();
    const user = await member(name);
    const other = await device(name);
    expect(await isIn(other)).toBe(true);
    const list = await user.call<Page<Session>>('GET', '/users/me/sessions');
    const id = list.body.items.find(({ current }) => !current)?.id ?? '';
    expect((await admin.call('DELETE', `/users/me/sessions/${id}`)).body.code).toBe('not-found');
    expect((await user.call('DELETE', `/users/me/sessions/${id}`)).status).toBe(204);
    expect(await isIn(other)).toBe(false);
    expect(await codeOf(refresh(other.refreshToken))).toBe('token-invalid');
    expect((await user.call('DELETE', `/users/me/sessions/${id}`)).body.code).toBe('not-found');
    expect((await user.call('POST', '/auth/logout')).status).toBe(204);
    expect(await isIn(user)).toBe(false);
    expect(await codeOf(refresh(user.refreshToken))).toBe('token-invalid');
  });

  test('are fifty at most: the one used longest ago goes', async () => {
    const name = newName();
    const oldest = await member(name);
    const account = { id: oldest.id, role: 'user' } as const;
    for (let n = 0; n < 50; n++) {
      t.clock.aheadMs += 1_000;
      const opened = await t.db.transaction((tx) => t.accounts.sessions.open(tx, account, caller()));
      await t.accounts.sessions.seal(opened);
    }
    expect(await sessionsOf(oldest.id)).toBe(50);
    expect(await isIn(oldest)).toBe(false);
  });

  test('on another node are out within a minute', async () => {
    const user = await member();
    const node = await t.again();
    expect((await node.authentication.verifyAccessToken(user.accessToken ?? '')).accountId).toBe(user.id);
    await t.accounts.sessions.logout(await viewerOf(user));
    t.clock.aheadMs += MINUTE_MS;
    expect(await codeOf(node.authentication.verifyAccessToken(user.accessToken ?? ''))).toBe('token-invalid');
    admin = await device('chief');
  });
});

describe('a new password', () => {
  test('ends every other login, keeps this one, and the old one opens nothing', async () => {
    const name = newName();
    const user = await member(name);
    const other = await device(name);
    const change = (currentPassword: string, newPassword: string) =>
      user.call('POST', '/auth/password', { body: { currentPassword, newPassword } });
    expect((await change('not this one', 'another long word')).body.code).toBe('bad-credentials');
    expect((await change(passwordOf(name), 'password123')).body.code).toBe('weak-password');
    expect(await isIn(other)).toBe(true);
    expect((await change(passwordOf(name), 'another long word')).status).toBe(204);
    expect(await isIn(user)).toBe(true);
    expect(await codeOf(refresh(user.refreshToken))).toBe('none');
    expect(await isIn(other)).toBe(false);
    expect(await codeOf(refresh(other.refreshToken))).toBe('token-invalid');
    expect(await codeOf(t.accounts.login.byPassword(name, passwordOf(name), caller()))).toBe(
      'bad-credentials',
    );
    expect(await codeOf(t.accounts.login.byPassword(name, 'another long word', caller()))).toBe('none');
  });

  test('set twice at once from the old one: one wins, and no login by the loser stays', async () => {
    const name = newName();
    const user = await member(name);
    const words = ['first long word', 'second long word'];
    const viewer = await viewerOf(user);
    const outcomes = await Promise.all(
      words.map((newPassword) =>
        codeOf(
          t.accounts.login.changePassword(
            viewer,
            { currentPassword: passwordOf(name), newPassword },
            { address: caller().address, idempotency: undefined },
          ),
        ),
      ),
    );
    expect(outcomes.toSorted()).toEqual(['bad-credentials', 'none']);
    const opens = await Promise.all(
      words.map((word) => codeOf(t.accounts.login.byPassword(name, word, caller()))),
    );
    expect(opens).toEqual(outcomes);
  });

  test('is kept as argon2id with at least 19 MiB and two passes, and salted', async () => {
    const [one, two] = [await member(), await member()];
    const rows = await t.db.sql<{ password_hash: string }>`
      select password_hash from account where id in (${one.id}, ${two.id})`;
    for (const { password_hash: hash } of rows) {
      const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/.exec(hash) ?? [];
      expect(Number(memory)).toBeGreaterThanOrEqual(19_456);
      expect(Number(passes)).toBeGreaterThanOrEqual(2);
    }
    const id = await t.accounts.registration.create({ username: newName(), password: passwordOf('twin') });
    const other = await t.accounts.registration.create({ username: newName(), password: passwordOf('twin') });
    const twins = await t.db.sql`select distinct password_hash from account where id in (${id}, ${other})`;
    expect(twins.length).toBe(2);
  });
});

describe('suspension and roles', () => {
  test('a suspended person is out on the next request, cannot refresh, and learns why only with the password', async () => {
    const name = newName();
    const user = await member(name);
    expect(await isIn(user)).toBe(true);
    const path = `/users/${user.id}/suspension`;
    expect((await admin.call('PUT', path, { body: { reason: 'spam' } })).status).toBe(204);
    expect(await isIn(user)).toBe(false);
    expect(await codeOf(refresh(user.refreshToken))).toBe('token-invalid');
    const login = (password: string) =>
      visitor().call('POST', '/auth/login', { body: { login: name, password } });
    expect((await login('a wrong word')).body).toMatchObject({ code: 'bad-credentials' });
    const told = await login(passwordOf(name));
    expect(told.body).toMatchObject({ code: 'suspended', detail: 'Reason: spam.' });
    expect((await visitor().call('GET', `/users/${user.id}`)).status).toBe(404);
    expect((await admin.call('DELETE', path)).status).toBe(204);
    expect(await isIn(await device(name))).toBe(true);
  });

  test('a suspension with an end ends by itself', async () => {
    const name = newName();
    const user = await member(name);
    const until = new Date(t.clock.nowMs() + 5 * MINUTE_MS).toISOString();
    const past = new Date(t.clock.nowMs() - 1).toISOString();
    const suspend = (end: string) =>
      admin.call('PUT', `/users/${user.id}/suspension`, { body: { reason: 'a while', until: end } });
    expect((await suspend(past)).body.code).toBe('invalid-request');
    expect((await suspend(until)).status).toBe(204);
    expect(await codeOf(t.accounts.login.byPassword(name, passwordOf(name), caller()))).toBe('suspended');
    t.clock.aheadMs += 5 * MINUTE_MS;
    expect(await codeOf(t.accounts.login.byPassword(name, passwordOf(name), caller()))).toBe('none');
  });

  test('a login under way while its owner is suspended does not survive', async () => {
    const name = newName();
    const user = await member(name);
    const viewer = await viewerOf(admin);
    const [login] = await Promise.all([
      codeOf(t.accounts.login.byPassword(name, passwordOf(name), caller())),
      t.accounts.administration.suspend(viewer, user.id, { reason: 'x', until: null }, undefined),
    ]);
    expect(['none', 'suspended']).toContain(login);
    expect(await sessionsOf(user.id)).toBe(0);
  });

  test('nobody suspends an equal or themselves, and only an admin gives roles, which hold at once', async () => {
    const [user, other, moderator, second] = [await member(), await member(), await member(), await member()];
    const role = (by: ApiUser, whom: ApiUser, to: string) =>
      by.call('PUT', `/users/${whom.id}/role`, { body: { role: to } });
    const suspend = async (by: ApiUser, whom: ApiUser) => {
      const answer = await by.call('PUT', `/users/${whom.id}/suspension`, { body: { reason: 'x' } });
      return answer.status === 204 ? 'done' : answer.body.code;
    };
    expect(await suspend(user, other)).toBe('forbidden');
    expect((await role(user, user, 'admin')).body.code).toBe('forbidden');
    expect((await role(admin, moderator, 'moderator')).status).toBe(204);
    expect((await moderator.call<Account>('GET', '/users/me')).body.role).toBe('moderator');
    expect((await role(moderator, moderator, 'admin')).body.code).toBe('forbidden');
    await role(admin, second, 'moderator');
    expect(await suspend(moderator, second)).toBe('forbidden');
    expect(await suspend(moderator, admin)).toBe('forbidden');
    expect(await suspend(moderator, moderator)).toBe('cannot-target-self');
    expect(await suspend(moderator, other)).toBe('done');
    await role(admin, moderator, 'user');
    expect(await suspend(moderator, user)).toBe('forbidden');
    expect((await role(admin, admin, 'user')).body.code).toBe('last-admin');
  });

  test('two admins who step down at once leave one', async () => {
    const [one, two] = [await member(), await member()];
    await t.accounts.administration.setRole(one.id, 'admin');
    await t.accounts.administration.setRole(two.id, 'admin');
    await t.accounts.administration.setRole(admin.id, 'user');
    const outcomes = await Promise.all(
      [one, two].map(({ id }) => codeOf(t.accounts.administration.setRole(id, 'user'))),
    );
    expect(outcomes.toSorted()).toEqual(['last-admin', 'none']);
  });
});
