import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { AuthSession } from '@hvideo/protocol';
import pino from 'pino';
import { LogCodeSender } from '../../src/adapters/memory/log-code-sender.ts';
import type { Caller } from '../../src/features/accounts/index.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { type AccountsStack, accountsStack, wrongCode } from '../support/accounts-stack.ts';
import { ApiUser } from '../support/api.ts';
import { codeOf } from '../support/errors.ts';

let t: AccountsStack;
let numbers = 0;
const MINUTE_MS = 60_000;

beforeAll(async () => {
  t = await accountsStack();
}, 30_000);
afterAll(async () => t[Symbol.asyncDispose]());

const newPhone = () => `+4915112${String(300_000 + numbers++)}`;
/** Each from its own address, so that no test draws on another's budget. */
const caller = (address = `10.0.${numbers >> 8}.${numbers++ & 255}`): Caller => ({
  address,
  userAgent: 'test',
});

async function member(phone: string, username = `member_${numbers++}`): Promise<string> {
  return t.accounts.registration.create({ username, password: null, phone });
}

async function codeSentTo(phone: string): Promise<string> {
  await t.accounts.codes.send(phone, 'en', caller());
  return t.phones.codeFor(phone);
}

const logIn = (phone: string, code: string) => t.accounts.login.byCode(phone, code, caller());

describe('a code sent to a phone', () => {
  test('has six digits, says how long it lasts, and opens a login once', async () => {
    const phone = newPhone();
    const id = await member(phone);
    const code = await codeSentTo(phone);
    expect(code).toMatch(/^\d{6}$/);
    expect(t.phones.sent.at(-1)).toEqual({ phone, code, expiresInSeconds: 600, locale: 'en' });
    expect((await logIn(phone, code)).accountId).toBe(id);
    expect(await codeOf(logIn(phone, code))).toBe('bad-code');
  });

  test('keeps its leading zeros', async () => {
    const phone = newPhone();
    const drawn: number[] = [];
    const integer = (below: number) => {
      drawn.push(below);
      return 42;
    };
    const { codes } = await t.again({}, { random: { ...systemRandom, integer } });
    await codes.send(phone, 'zh', caller());
    expect(t.phones.codeFor(phone)).toBe('000042');
    expect(drawn).toEqual([1_000_000]);
  });

  test('used at the same moment from many places opens one login', async () => {
    const phone = newPhone();
    const id = await member(phone);
    const code = await codeSentTo(phone);
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => codeOf(logIn(phone, code))));
    expect(outcomes.toSorted()).toEqual(['bad-code', 'bad-code', 'bad-code', 'bad-code', 'none']);
    const [row] = await t.db.sql`select count(*)::int4 as n from session where account_id = ${id}`;
    expect(row.n).toBe(1);
  });

  test('stands five tries, also when they come at once, and the right one is not a sixth', async () => {
    const phone = newPhone();
    await member(phone);
    const code = await codeSentTo(phone);
    const wrong = await Promise.all(
      Array.from({ length: 5 }, (_, n) => codeOf(logIn(phone, wrongCode(code, n + 1)))),
    );
    expect(new Set(wrong)).toEqual(new Set(['bad-code']));
    expect(await codeOf(logIn(phone, code))).toBe('bad-code');
  });

  test('is still good on the fifth try', async () => {
    const phone = newPhone();
    await member(phone);
    const code = await codeSentTo(phone);
    for (let n = 1; n <= 4; n++) expect(await codeOf(logIn(phone, wrongCode(code, n)))).toBe('bad-code');
    expect(await codeOf(logIn(phone, code))).toBe('none');
  });

  test('expires after ten minutes', async () => {
    const [early, late] = [newPhone(), newPhone()];
    await member(early);
    await member(late);
    const codes = [await codeSentTo(early), await codeSentTo(late)];
    t.clock.aheadMs += 9 * MINUTE_MS;
    expect(await codeOf(logIn(early, codes[0] ?? ''))).toBe('none');
    t.clock.aheadMs += MINUTE_MS;
    expect(await codeOf(logIn(late, codes[1] ?? ''))).toBe('bad-code');
  });

  test('is replaced by the next one, which brings its own five tries', async () => {
    const phone = newPhone();
    await member(phone);
    const first = await codeSentTo(phone);
    for (let n = 1; n <= 5; n++) await codeOf(logIn(phone, wrongCode(first, n)));
    const second = await codeSentTo(phone);
    if (second !== first) expect(await codeOf(logIn(phone, first))).toBe('bad-code');
    expect(await codeOf(logIn(phone, second))).toBe('none');
  });

  test('proves its own number only', async () => {
    const [mine, theirs] = [newPhone(), newPhone()];
    await member(mine);
    await member(theirs);
    await codeSentTo(theirs);
    expect(await codeOf(logIn(theirs, await codeSentTo(mine)))).toBe('bad-code');
  });
});

describe('a code for a number without an account', () => {
  test('is sent alike, opens nothing, and is then good for joining', async () => {
    const phone = newPhone();
    const user = new ApiUser(t.url);
    expect((await user.call('POST', '/auth/codes', { body: { phone } })).status).toBe(202);
    const code = t.phones.codeFor(phone);
    const login = await user.call('POST', '/auth/login', { body: { phone, code } });
    expect(login.body.code).toBe('bad-credentials');
    const body = { username: 'joined_by_phone', password: 'a quite long word', phone, phoneCode: code };
    const joined = await user.call<AuthSession>('POST', '/auth/register', { body });
    expect(joined.status).toBe(201);
    expect(joined.body.user.phone).toBe(phone);
    const again = await user.call('POST', '/auth/login', { body: { phone, code } });
    expect(again.body.code).toBe('bad-code');
  });

  test('joining with a number takes its code, and a number belongs to one account', async () => {
    const phone = newPhone();
    const user = new ApiUser(t.url);
    const join = (username: string, phoneCode?: string) =>
      user.call('POST', '/auth/register', {
        body: { username, password: 'a quite long word', phone, phoneCode },
      });
    expect((await join('without_code')).body.fields).toEqual({ phoneCode: 'must prove the phone number' });
    const first = await codeSentTo(phone);
    expect((await join('with_wrong_code', wrongCode(first))).body.code).toBe('bad-code');
    expect((await join('with_code', first)).status).toBe(201);
    expect((await join('second_with_code', await codeSentTo(phone))).body.code).toBe('phone-taken');
    const [row] = await t.db.sql`select count(*)::int4 as n from account where username like '%with%code'`;
    expect(row.n).toBe(1);
  });
});

describe('sending', () => {
  test('is limited for each phone, whoever asks, and for each address, whomever it asks for', async () => {
    const phone = newPhone();
    const send = (to: string, from?: string) => codeOf(t.accounts.codes.send(to, 'en', caller(from)));
    const toOne = [];
    for (let n = 0; n < 4; n++) toOne.push(await send(phone));
    expect(toOne).toEqual(['none', 'none', 'none', 'rate-limited']);
    t.clock.aheadMs += 10 * MINUTE_MS;
    expect(await send(phone)).toBe('none');

    const address = '2001:db8:1:2::';
    const fromOne = [];
    // Every address of one customer's network counts as the same.
    for (let n = 0; n < 11; n++) fromOne.push(await send(newPhone(), `${address}${n + 1}`));
    expect(fromOne.filter((outcome) => outcome === 'none').length).toBe(10);
    expect(fromOne.at(-1)).toBe('rate-limited');
    expect(await send(newPhone(), '2001:db8:1:3::1')).toBe('none');
  });

  test('that fails at the provider tells the caller nothing', async () => {
    t.phones.failing = true;
    const answer = await new ApiUser(t.url).call('POST', '/auth/codes', { body: { phone: newPhone() } });
    t.phones.failing = false;
    expect(answer.status).toBe(202);
    expect(t.logged.join('')).toContain('a log-in code could not be sent');
  });

  test('writes the code to no log; only the embedded sender does, which is for that', async () => {
    const phone = newPhone();
    await member(phone);
    const code = await codeSentTo(phone);
    await codeOf(logIn(phone, wrongCode(code)));
    await logIn(phone, code);
    // A code could also be a part of some number, so whole words only.
    const words = new Set(t.logged.join('').split(/[^0-9+]+/));
    expect(t.phones.sent.filter((message) => words.has(message.code))).toEqual([]);
    expect(words.has(phone)).toBe(false);

    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    await new LogCodeSender(log).send({ phone, code, expiresInSeconds: 600, locale: 'zh' });
    expect(JSON.parse(lines.join(''))).toMatchObject({ phone, code });
  });

  test('keeps no code in the database in a form that could be read back', async () => {
    const phone = newPhone();
    const code = await codeSentTo(phone);
    const [row] = await t.db.sql`select * from phone_code where phone = ${phone}`;
    expect(JSON.stringify(row)).not.toContain(code);
    expect(row.code_mac.length).toBeGreaterThanOrEqual(43);
  });
});
