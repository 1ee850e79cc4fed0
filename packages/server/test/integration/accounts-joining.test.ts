import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Account, AuthSession, Instance, Invitation, Page } from '@hvideo/protocol';
import type { Caller, Viewer } from '../../src/features/accounts/index.ts';
import type { AccountsStack } from '../support/accounts-stack.ts';
import { accountsStack } from '../support/accounts-stack.ts';
import { ApiUser, passwordOf } from '../support/api.ts';
import { codeOf } from '../support/errors.ts';

let t: AccountsStack;
/** The same community where an invitation is needed. */
let byInvitation: Awaited<ReturnType<AccountsStack['again']>>;
let moderator: Viewer;
let count = 0;
const DAY_MS = 86_400_000;

beforeAll(async () => {
  t = await accountsStack();
  byInvitation = await t.again({ registration: 'invitation' });
  const user = await new ApiUser(t.url).join('inviter');
  moderator = { accountId: user.id, role: 'moderator', sessionId: '1' };
}, 30_000);
afterAll(async () => t[Symbol.asyncDispose]());

const newName = () => `guest_${count++}`;
const caller = (): Caller => ({ address: `10.2.${count >> 8}.${count++ & 255}`, userAgent: 'test' });
const input = (username = newName(), more: Record<string, string> = {}) => ({
  username,
  password: passwordOf('anybody'),
  ...more,
});
const join = (invitation?: string, username?: string) =>
  byInvitation.registration.register(
    input(username, invitation === undefined ? {} : { invitation }),
    caller(),
  );
const invite = (uses = 1, validDays = 7) =>
  t.accounts.invitations.create(moderator, { uses, validDays }, undefined);

describe('registration', () => {
  test('that is closed lets nobody in, with or without an invitation', async () => {
    const closed = await t.again({ registration: 'closed' });
    const { code } = await invite();
    expect(await codeOf(closed.registration.register(input(), caller()))).toBe('registration-closed');
    const invited = closed.registration.register(input(newName(), { invitation: code }), caller());
    expect(await codeOf(invited)).toBe('registration-closed');
    expect((await closed.registration.instance()).registration).toBe('closed');
  });

  test('by invitation needs one that is known, unused and not over', async () => {
    expect(await codeOf(join())).toBe('invitation-required');
    expect(await codeOf(join(''))).toBe('invitation-required');
    expect(await codeOf(join('made-up'))).toBe('invitation-invalid');
    const once = await invite(1);
    expect(await codeOf(join(once.code))).toBe('none');
    expect(await codeOf(join(once.code))).toBe('invitation-invalid');
    const soon = await invite(1, 1);
    t.clock.aheadMs += DAY_MS;
    expect(await codeOf(join(soon.code))).toBe('invitation-invalid');
  });

  test('an invitation for two, used by six at once, lets two in', async () => {
    const { code } = await invite(2);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => codeOf(join(code))));
    expect(outcomes.filter((outcome) => outcome === 'none').length).toBe(2);
    expect(new Set(outcomes)).toEqual(new Set(['none', 'invitation-invalid']));
  });

  test('that fails gives the invitation back', async () => {
    const { code } = await invite(1);
    expect(await codeOf(join(code, 'inviter'))).toBe('username-taken');
    expect(await codeOf(join(code))).toBe('none');
  });

  test('an invitation that was withdrawn lets nobody in; only moderators see and make them', async () => {
    const chief = await new ApiUser(t.url).join('invitation_chief');
    const list = () => chief.call<Page<Invitation>>('GET', '/invitations');
    expect((await list()).status).toBe(403);
    expect((await chief.call('POST', '/invitations', { body: {} })).body.code).toBe('forbidden');
    await t.accounts.administration.setRole(chief.id, 'moderator');
    const made = await chief.call<Invitation>('POST', '/invitations', { body: { uses: 3 } });
    expect(made.status).toBe(201);
    expect((await list()).body.items.map(({ code }) => code)).toContain(made.body.code);
    expect((await chief.call('DELETE', `/invitations/${made.body.code}`)).status).toBe(204);
    expect((await chief.call('DELETE', `/invitations/${made.body.code}`)).body.code).toBe('not-found');
    expect(await codeOf(join(made.body.code))).toBe('invitation-invalid');
  });

  test.each(['admin', 'support', 'moderator', 'H_VIDEO'])(
    'refuses the name %s, which would speak for us',
    async (name) => {
      const answer = await new ApiUser(t.url).call('POST', '/auth/register', { body: input(name) });
      expect(answer.body).toMatchObject({ code: 'username-taken', fields: { username: 'is reserved' } });
    },
  );

  test.each(['password123', 'aaaaaaaaaaaa', 'guest_weak', 'ＰＡＳＳＷＯＲＤ１２３'])(
    'refuses the password %s',
    async (password) => {
      const body = { username: 'guest_weak', password };
      const answer = await new ApiUser(t.url).call('POST', '/auth/register', { body });
      expect(answer.body.code).toBe('weak-password');
    },
  );

  test('takes a password of any alphabet, and finds it again however it was typed', async () => {
    const name = newName();
    const password = 'Zürich 密码 ﬁne word';
    const body = { username: name.toUpperCase(), password };
    const joined = await new ApiUser(t.url).call<AuthSession>('POST', '/auth/register', { body });
    expect(joined.body.user.username).toBe(name);
    const decomposed = password.normalize('NFKD');
    expect(decomposed).not.toBe(password);
    expect(await codeOf(t.accounts.login.byPassword(`@${name}`, decomposed, caller()))).toBe('none');
  });
});

describe('the first visitor', () => {
  test('makes the admin, once: of six at the same moment one does', async () => {
    await using fresh = await accountsStack({ settings: { demo: false } });
    const visitor = () => new ApiUser(fresh.url);
    const early = await visitor().call('POST', '/auth/register', { body: input() });
    expect(early.body.code).toBe('setup-required');
    expect((await visitor().call<Instance>('GET', '/instance')).body).toMatchObject({
      setupRequired: true,
      setupCodeRequired: false,
    });
    const setUp = (n: number) =>
      visitor().call<AuthSession & { code?: string }>('POST', '/instance/setup', {
        body: { ...input(`first_${n}`), instanceName: `Community ${n}` },
      });
    const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => setUp(n)));
    const winner = answers.findIndex(({ status }) => status === 201);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
    expect(answers.filter(({ body }) => body.code === 'setup-done').length).toBe(5);
    expect(await fresh.db.sql`select username, role from account`).toEqual([
      { username: `first_${winner}`, role: 'admin' },
    ]);
    expect((await visitor().call<Instance>('GET', '/instance')).body).toMatchObject({
      setupRequired: false,
      name: `Community ${winner}`,
    });
  });

  test('from another machine needs the code of the log', async () => {
    await using fresh = await accountsStack({ settings: { demo: false }, trustedProxies: 1 });
    const headers = { 'x-forwarded-for': '203.0.113.5' };
    const visitor = new ApiUser(fresh.url);
    expect((await visitor.call<Instance>('GET', '/instance', { headers })).body.setupCodeRequired).toBe(true);
    const setUp = (code?: string) =>
      visitor.call('POST', '/instance/setup', { body: { ...input('first_one'), code }, headers });
    expect((await setUp()).body.code).toBe('bad-code');
    expect((await setUp('0000000000000000')).body.code).toBe('bad-code');
    const { setupCode } = fresh.accounts.registration;
    expect(setupCode.length).toBe(16);
    expect((await setUp(setupCode)).status).toBe(201);
  });
});

describe('names', () => {
  const rename = (user: ApiUser, username: string) =>
    user.call<Account & { code?: string }>('PATCH', '/users/me', { body: { username } });

  test('that were given up stay their former owner’s for thirty days', async () => {
    const [owner, other] = [
      await new ApiUser(t.url).join('old_name'),
      await new ApiUser(t.url).join('other_one'),
    ];
    expect((await rename(owner, 'other_one')).body.code).toBe('username-taken');
    expect((await rename(owner, 'new_name')).body.username).toBe('new_name');
    expect((await rename(other, 'old_name')).body.code).toBe('username-taken');
    const newcomer = await new ApiUser(t.url).call('POST', '/auth/register', { body: input('old_name') });
    expect(newcomer.body.code).toBe('username-taken');
    expect((await other.call('GET', '/users/@old_name')).status).toBe(404);
    expect((await rename(owner, 'old_name')).body.username).toBe('old_name');
    expect((await rename(owner, 'new_name')).status).toBe(200);
    t.clock.aheadMs += 30 * DAY_MS;
    const login = await t.accounts.login.byPassword('other_one', passwordOf('other_one'), caller());
    other.accessToken = login.accessToken;
    expect((await rename(other, 'old_name')).body.username).toBe('old_name');
  });

  test('can be kept from others three at a time', async () => {
    const user = await new ApiUser(t.url).join('collector');
    for (const name of ['collector_1', 'collector_2', 'collector_3'])
      expect((await rename(user, name)).status).toBe(200);
    const fourth = await rename(user, 'collector_4');
    expect(fourth.body.code).toBe('rate-limited');
    expect(Number(fourth.headers.get('retry-after'))).toBeGreaterThan(86_400);
    expect((await rename(user, 'collector')).status).toBe(200);
  });

  test('wanted by a newcomer and a member at the same moment go to one of them', async () => {
    const member = await new ApiUser(t.url).join('a_member');
    const outcomes = await Promise.all([
      rename(member, 'wanted_by_two').then(({ status }) => status),
      new ApiUser(t.url)
        .call('POST', '/auth/register', { body: input('wanted_by_two') })
        .then(({ status }) => status),
    ]);
    expect([
      [200, 409],
      [409, 201],
    ]).toContainEqual(outcomes);
  });

  test('are those of one account: an absent field of a change stays', async () => {
    const user = await new ApiUser(t.url).join('changing');
    const patch = (body: Record<string, string>) => user.call<Account>('PATCH', '/users/me', { body });
    await patch({ displayName: 'Ch. Anging', bio: 'line\r\ntwo', locale: 'zh' });
    const after = await patch({ displayName: '  小明  ' });
    expect(after.body).toMatchObject({
      displayName: '小明',
      bio: 'line\ntwo',
      locale: 'zh',
      username: 'changing',
    });
  });
});
