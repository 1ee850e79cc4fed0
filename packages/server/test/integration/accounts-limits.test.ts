import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import type { Account } from '@hvideo/protocol';
import { type AccountsStack, accountsStack } from '../support/accounts-stack.ts';
import { ApiUser, passwordOf } from '../support/api.ts';
import { codeOf } from '../support/errors.ts';

let t: AccountsStack;
let user: ApiUser;
let addresses = 0;
const HOUR_MS = 3_600_000;

beforeAll(async () => {
  t = await accountsStack();
  user = await new ApiUser(t.url).join('guessed_at');
}, 30_000);
afterAll(async () => t[Symbol.asyncDispose]());

const newAddress = () => `10.3.${addresses >> 8}.${addresses++ & 255}`;
const guess = (login: string, address: string, password = 'a wrong word') =>
  codeOf(t.accounts.login.byPassword(login, password, { address, userAgent: 'test' }));

async function guesses(count: number, login: string, address: () => string): Promise<string[]> {
  const outcomes: string[] = [];
  for (let n = 0; n < count; n++) outcomes.push(await guess(login, address()));
  return outcomes;
}

const refusedAfter = (outcomes: readonly string[]) => outcomes.indexOf('rate-limited');

/** The hasher's work itself is not what these tests are about. */
function withoutHashing() {
  return spyOn(Bun.password, 'verify').mockImplementation(async () => false);
}

describe('guessing passwords', () => {
  test.each(['guessed_at', 'nobody_of_this_name', '+491511299999'])(
    'of %s from one address ends after ten, whether there is such an account or not',
    async (login) => {
      using _quick = withoutHashing();
      const address = newAddress();
      expect(refusedAfter(await guesses(11, login, () => address))).toBe(10);
      expect(refusedAfter(await guesses(11, ` @${login.toUpperCase()}`, () => address))).toBe(0);
      expect(await guess(login, newAddress())).toBe('bad-credentials');
      t.clock.aheadMs += 60_000;
      expect(refusedAfter(await guesses(2, login, () => address))).toBe(1);
    },
  );

  test('sent all at once is counted as well', async () => {
    using _quick = withoutHashing();
    const address = newAddress();
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => guess('guessed_at', address)));
    expect(outcomes.filter((outcome) => outcome === 'bad-credentials').length).toBe(10);
  });

  test('of many accounts from one address ends after fifty, and an own login in between buys none', async () => {
    const address = newAddress();
    let names = 0;
    const own = () => guess('guessed_at', address, passwordOf('guessed_at'));
    expect(await own()).toBe('none');
    using _quick = withoutHashing();
    const outcomes: string[] = [];
    for (let n = 0; n < 50; n++) outcomes.push(await guess(`name_${names++}`, address));
    expect(refusedAfter(outcomes)).toBe(49);
  });

  test('of one account from everywhere ends after a hundred; its owner is back within the minute', async () => {
    t.clock.aheadMs += HOUR_MS;
    const wrong = withoutHashing();
    expect(refusedAfter(await guesses(101, 'guessed_at', newAddress))).toBe(100);
    wrong.mockRestore();
    const own = () => guess('guessed_at', newAddress(), passwordOf('guessed_at'));
    expect(await own()).toBe('rate-limited');
    t.clock.aheadMs += 30_000;
    expect(await own()).toBe('none');
    expect(await own()).toBe('none');
  });

  test('while signed in is limited too: for a new password and for leaving', async () => {
    const headers = { authorization: `Bearer ${await freshToken()}` };
    using _quick = withoutHashing();
    const attempts = [];
    for (let n = 0; n < 6; n++) {
      const body = { currentPassword: 'wrong', newPassword: 'a new long word' };
      attempts.push((await user.call('POST', '/auth/password', { body, headers })).body.code);
      attempts.push((await user.call('DELETE', '/users/me', { body: { password: 'x' }, headers })).body.code);
    }
    expect(refusedAfter(attempts)).toBe(10);
  });

  test('takes the same work for an unknown name, one without a password and a wrong password', async () => {
    await t.accounts.registration.create({ username: 'without_password', password: null });
    const verify = spyOn(Bun.password, 'verify');
    const worked: unknown[][] = [];
    for (const login of ['nobody_at_all', 'without_password', 'guessed_at', '+491511288888']) {
      expect(await guess(login, newAddress(), 'the very same wrong word')).toBe('bad-credentials');
      worked.push(
        verify.mock.calls.map(([password, hash]) => [password, String(hash).split('$').slice(0, 4)]),
      );
      verify.mockClear();
    }
    verify.mockRestore();
    expect(worked[0]).toHaveLength(1);
    for (const calls of worked) expect(calls).toEqual(worked[0] ?? []);
  });
});

async function freshToken(): Promise<string> {
  const caller = { address: newAddress(), userAgent: 'test' };
  return (await t.accounts.login.byPassword('guessed_at', passwordOf('guessed_at'), caller)).accessToken;
}

/** How many are taken until one is refused; on a slow machine some come back meanwhile. */
async function untilRefused<T extends { status: number }>(request: (n: number) => Promise<T>) {
  for (let taken = 0; taken < 200; taken++) {
    const answer = await request(taken);
    if (answer.status === 429) return { taken, refused: answer };
  }
  throw new Error('nothing was refused');
}

describe('requests', () => {
  test('of one address are limited by class, of another they go on, and the answer says when to come back', async () => {
    await using limited = await accountsStack({ rateLimits: true, trustedProxies: 1 });
    const visitor = new ApiUser(limited.url);
    const refresh = (address: string) =>
      visitor.call('POST', '/auth/refresh', {
        body: { refreshToken: 'x' },
        headers: { 'x-forwarded-for': `6.6.6.6, ${address}` },
      });
    const { taken, refused } = await untilRefused(() => refresh('203.0.113.7'));
    expect(taken).toBeWithin(100, 110);
    expect(refused.body.code).toBe('rate-limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await refresh('203.0.113.8')).status).toBe(401);
    const health = await fetch(`${limited.url}/healthz`);
    expect(health.status).toBe(200);
    limited.clock.aheadMs += 5_000;
    expect((await refresh('203.0.113.7')).status).toBe(401);

    // One customer has a whole /64 and may use every address in it.
    const inNetwork = (n: number) => refresh(`2001:db8:7:7::${n.toString(16)}`);
    expect((await untilRefused(inNetwork)).taken).toBeWithin(100, 110);
    expect((await refresh('2001:db8:7:8::1')).status).toBe(401);
  });

  test('of one account are limited wherever they come from', async () => {
    await using limited = await accountsStack({ rateLimits: true, trustedProxies: 1 });
    const member = await new ApiUser(limited.url).join('busy_member');
    const other = await new ApiUser(limited.url).join('quiet_member');
    const rename = (by: ApiUser) =>
      by.call<Account>('PATCH', '/users/me', {
        body: { bio: 'x' },
        headers: { 'x-forwarded-for': newAddress() },
      });
    expect((await untilRefused(() => rename(member))).taken).toBeWithin(60, 110);
    expect((await rename(other)).status).toBe(200);
  });

  test('for an export are three, then wait', async () => {
    const viewer = await t.accounts.authentication.verifyAccessToken(await freshToken());
    const outcomes: string[] = [];
    for (let n = 0; n < 4; n++)
      outcomes.push(await codeOf((async () => new Response(t.accounts.departure.export(viewer)).bytes())()));
    expect(outcomes).toEqual(['none', 'none', 'none', 'rate-limited']);
  });
});
