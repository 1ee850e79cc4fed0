import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import { type ApiUser, eventually } from '../packages/server/test/support/api.ts';
import { breakableNetwork } from './breakable-network.ts';
import { chromiumPath, openBrowser, seriousFaults } from './browser.ts';
import {
  begin,
  box,
  bubble,
  type Community,
  chinese,
  dark,
  direct,
  en,
  logIn,
  openCommunity,
  row,
  say,
  state,
  wide,
  words,
} from './chat-people.ts';

let community: Community;
let server: { readonly url: string };
let lin: ApiUser;
let wei: ApiUser;
let noa: ApiUser;

beforeAll(async () => {
  community = await openCommunity();
  server = community;
  ({ lin, wei, noa } = community);
}, 120_000);

afterAll(async () => {
  await community[Symbol.asyncDispose]();
});

async function saidBy(by: ApiUser, id: string, text: string): Promise<void> {
  const answer = await by.call('POST', `/conversations/${id}/messages`, { body: { type: 'text', text } });
  expect(answer.status).toBe(200);
}

/** What is said in a conversation, as it is shown. */
const shownTexts = (page: Page) =>
  page.evaluate<string[]>(
    '[...document.querySelectorAll("[data-bubble] [class*=text]")].map((it) => it.firstChild?.textContent ?? "")',
  );

describe.skipIf(chromiumPath() === undefined)('the chat', () => {
  test('of two: from a profile to the answer, with counts, marks, a quote and an input method', async () => {
    await using weisBrowser = await openBrowser(wide);
    await using linsBrowser = await openBrowser(dark);
    const weis = await weisBrowser.newPage();
    const lins = await linsBrowser.newPage();
    await Promise.all([logIn(weis, en, 'wei_z', server.url), logIn(lins, chinese, 'lin_wan', server.url)]);

    await weis.goto(`${server.url}/@lin_wan`);
    await weis.getByRole('button', { name: words(en.common.chats.messageName, { name: '林晚' }) }).click();
    await weis.waitForURL((url) => url.pathname.startsWith('/messages/'));
    await weis.getByText(en.chat.nothing, { exact: true }).waitFor();
    await say(weis, 'Did you see the lake this morning?');

    const unread = words(chinese.common.chats.unread_other, { count: '1' });
    await lins.getByRole('navigation', { name: chinese.common.nav.label }).getByText(unread).waitFor();
    await lins.goto(`${server.url}/messages`);
    await row(lins, 'Wei Zhang')
      .getByText(words(chinese.chat.unreadMessages_other, { count: '1' }))
      .waitFor();
    expect(await seriousFaults(lins)).toEqual([]);
    await row(lins, 'Wei Zhang').click();
    await bubble(lins, 'the lake').waitFor();
    await state(weis, 'the lake', en.chat.state.read);
    expect(await seriousFaults(lins)).toEqual([]);

    await bubble(lins, 'the lake').locator('[data-options]').press('Enter');
    await lins.getByRole('menuitem', { name: chinese.chat.reply }).press('Enter');
    await lins.getByText(words(chinese.chat.replyingTo, { name: 'Wei Zhang' })).waitFor();
    await composeWithInputMethod(lins, '看了，很美');
    await bubble(lins, '看了，很美').waitFor();
    await bubble(weis, '看了，很美')
      .getByRole('button', { name: /the lake/ })
      .waitFor();
    expect(await shownTexts(weis)).toEqual(['Did you see the lake this morning?', '看了，很美']);
    expect(await seriousFaults(weis)).toEqual([]);
  }, 120_000);

  test('of three: a group, two tabs and two devices of one of them', async () => {
    await using noasBrowser = await openBrowser(wide);
    await using weisBrowser = await openBrowser(wide);
    await using weisPhone = await openBrowser({ ...dark, locale: 'en-US' });
    await using linsBrowser = await openBrowser(dark);
    const noas = await noasBrowser.newPage();
    const [tab, otherTab] = [await weisBrowser.newPage(), await weisBrowser.newPage()];
    const handheld = await weisPhone.newPage();
    const lins = await linsBrowser.newPage();
    await logIn(noas, en, 'noa', server.url);
    await logIn(tab, en, 'wei_z', server.url);
    await logIn(handheld, en, 'wei_z', server.url);
    await logIn(lins, chinese, 'lin_wan', server.url);

    await noas.goto(`${server.url}/messages`);
    await noas.getByRole('button', { name: en.chat.new }).first().click();
    await noas.getByLabel(en.chat.picker.search).fill('wei');
    await noas.getByRole('button', { name: /Wei Zhang/ }).click();
    await noas.getByRole('button', { name: /林晚/ }).click();
    await noas.getByLabel(en.chat.picker.titleLabel).fill('Lake trip');
    expect(await seriousFaults(noas)).toEqual([]);
    await noas.getByRole('button', { name: words(en.chat.picker.startGroup_other, { count: '3' }) }).click();
    await noas.waitForURL((url) => url.pathname.startsWith('/messages/'));
    await say(noas, 'Who has a car?');
    const address = noas.url();

    await tab.goto(address);
    await bubble(tab, 'Who has a car?').waitFor();
    await otherTab.goto(address);
    await say(tab, 'I do, four seats');
    await bubble(otherTab, 'four seats').waitFor();
    await say(otherTab, 'And a boat');
    await bubble(tab, 'And a boat').waitFor();
    await handheld.goto(address);
    await bubble(handheld, 'And a boat').waitFor();
    await lins.goto(address);
    await bubble(lins, 'And a boat').waitFor();
    // Now everybody has seen it.
    await state(tab, 'And a boat', en.chat.state.read);
    const all = ['Who has a car?', 'I do, four seats', 'And a boat'];
    for (const page of [noas, tab, otherTab, handheld, lins]) expect(await shownTexts(page)).toEqual(all);

    // Read in one place is read everywhere.
    await handheld.goto(`${server.url}/messages`);
    await tab.goto(`${server.url}/messages`);
    await otherTab.goto(`${server.url}/messages`);
    await say(noas, 'Then we leave at five');
    await row(handheld, 'Lake trip')
      .getByText(words(en.chat.unreadMessages_one, { count: '1' }))
      .waitFor();
    await row(tab, 'Lake trip').click();
    await bubble(tab, 'leave at five').waitFor();
    await row(handheld, 'Lake trip')
      .getByText(words(en.chat.unreadMessages_one, { count: '1' }))
      .waitFor({ state: 'detached' });

    await changeGroup(noas, lins, tab);
  }, 180_000);

  test('through a dropped network: what waits is sent once and in order, what was missed arrives', async () => {
    const { id } = await direct(wei, noa);
    await using network = await breakableNetwork(server.url);
    await using weisBrowser = await openBrowser(wide);
    await using noasBrowser = await openBrowser(wide);
    const weis = await weisBrowser.newPage();
    const noas = await noasBrowser.newPage();
    await Promise.all([logIn(weis, en, 'wei_z', network.url), logIn(noas, en, 'noa', server.url)]);
    await Promise.all([
      weis.goto(`${network.url}/messages/${id}`),
      noas.goto(`${server.url}/messages/${id}`),
    ]);
    await say(weis, 'before');
    await bubble(noas, 'before').waitFor();
    network.cut();
    await weis.getByText(en.chat.connection.waiting).waitFor();
    await say(weis, 'first of two');
    await say(weis, 'second of two');
    await state(weis, 'second of two', en.chat.state.waiting);
    await say(noas, 'meanwhile');
    network.mend();
    // As the system does; otherwise the next try may be half a minute away.
    await weis.evaluate("dispatchEvent(new Event('online'))");
    await bubble(noas, 'second of two').waitFor();
    await bubble(weis, 'meanwhile').waitFor();
    await weis.getByText(en.chat.connection.waiting).waitFor({ state: 'detached' });
    const said = ['before', 'meanwhile', 'first of two', 'second of two'];
    for (const page of [weis, noas]) {
      await eventually(
        () => shownTexts(page),
        (shown) => JSON.stringify(shown) === JSON.stringify(said),
      );
    }
    await weis.reload();
    await bubble(weis, 'second of two').waitFor();
    expect(await shownTexts(weis)).toEqual(said);
  }, 120_000);

  test('a refused message says why, and is sent again or given up', async () => {
    const { id } = await direct(lin, noa);
    await using browser = await openBrowser(dark);
    const page = await browser.newPage();
    await logIn(page, chinese, 'lin_wan', server.url);
    await page.goto(`${server.url}/messages/${id}`);
    await say(page, '在吗');
    await state(page, '在吗', chinese.chat.state.sent);
    await noa.call('PUT', `/users/${lin.id}/block`);
    await say(page, '周六去吗');
    await say(page, '算了');
    const failed = page.getByText(words(chinese.chat.failed, { reason: chinese.errors.blocked }));
    await failed.nth(1).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await noa.call('DELETE', `/users/${lin.id}/block`);
    await bubble(page, '算了').getByRole('button', { name: chinese.chat.discard }).click();
    await bubble(page, '算了').waitFor({ state: 'detached' });
    await bubble(page, '周六去吗').getByRole('button', { name: chinese.chat.resend }).click();
    await state(page, '周六去吗', chinese.chat.state.sent);
    await failed.waitFor({ state: 'detached' });
  }, 120_000);

  test('history comes as one scrolls, without a jump, and a quote leads into it', async () => {
    const { id } = await begin(noa, { type: 'group', memberIds: [wei.id, lin.id], title: 'Long' });
    for (let at = 1; at <= 160; at += 1) await saidBy(noa, id, `number ${at}.`);
    const answer = { type: 'text', text: 'About the very beginning', quote: 5 };
    expect((await noa.call('POST', `/conversations/${id}/messages`, { body: answer })).status).toBe(200);
    await using browser = await openBrowser({ ...dark, locale: 'en-US' });
    const page = await browser.newPage();
    await logIn(page, en, 'wei_z', server.url);
    await page.goto(`${server.url}/messages/${id}`);
    // What is new begins far up: that is where reading begins.
    await page.getByText(en.chat.newHere, { exact: true }).waitFor();
    await page.getByRole('button', { name: new RegExp(en.chat.newest) }).click();
    await bubble(page, 'the very beginning').waitFor();
    await eventually(
      () => page.getByRole('button', { name: new RegExp(en.chat.newest) }).count(),
      (count) => count === 0,
    );
    await bubble(page, 'the very beginning').getByTitle(en.chat.quoted).click();
    await eventually(
      () => bubble(page, 'number 3.').count(),
      (count) => count === 1,
    );
    await page.getByRole('button', { name: new RegExp(en.chat.newest) }).click();
    await bubble(page, 'the very beginning').waitFor();
    await readUpwards(page);
  }, 180_000);
});

/** Composes with an input method, whose Enter chooses and does not send; then sends. */
async function composeWithInputMethod(page: Page, text: string): Promise<void> {
  const debuggerOf = await page.context().newCDPSession(page);
  await box(page).focus();
  const press = (code: number) =>
    debuggerOf.send('Input.dispatchKeyEvent', {
      type: 'rawKeyDown',
      key: 'Enter',
      code: 'Enter',
      windowsVirtualKeyCode: code,
    });
  await debuggerOf.send('Input.imeSetComposition', {
    text,
    selectionStart: text.length,
    selectionEnd: text.length,
  });
  const before = await page.locator('[data-row]').count();
  await press(229);
  await press(13);
  await debuggerOf.send('Input.insertText', { text });
  // Safari ends the composition before it tells of the key.
  await press(229);
  expect(await box(page).inputValue()).toBe(text);
  expect(await page.locator('[data-row]').count()).toBe(before);
  await box(page).press('Enter');
  await eventually(
    () => box(page).inputValue(),
    (value) => value === '',
  );
}

/** The owner gives the group a name and takes somebody out, another one leaves. */
async function changeGroup(owner: Page, removed: Page, leaver: Page): Promise<void> {
  await owner.getByRole('button', { name: en.chat.group.open }).click();
  await owner.getByLabel(en.chat.group.name).fill('Lake at five');
  await owner.getByRole('button', { name: en.chat.group.rename }).click();
  await leaver.getByRole('heading', { name: 'Lake at five' }).waitFor();
  await owner.getByRole('button', { name: words(en.chat.group.removeName, { name: '林晚' }) }).click();
  await owner.getByRole('button', { name: en.chat.group.remove, exact: true }).click();
  await removed.getByText(chinese.chat.notFound).waitFor();
  expect(await seriousFaults(owner)).toEqual([]);
  await owner.keyboard.press('Escape');
  await owner
    .locator('[data-row]')
    .getByText(words(en.chat.system.removed, { actor: en.chat.you, names: '林晚' }))
    .waitFor();
  await leaver.getByRole('button', { name: en.chat.group.open }).click();
  await leaver.getByRole('button', { name: en.chat.group.leave }).click();
  await leaver.getByRole('dialog').getByRole('button', { name: en.chat.group.leave }).last().click();
  await leaver.waitForURL((url) => url.pathname === '/messages');
  await row(leaver, 'Lake at five').waitFor({ state: 'detached' });
}

interface Place {
  readonly seq: string;
  readonly top: number;
}

/** Where the first row that is in view stands. */
const place = (page: Page) =>
  page.evaluate<Place>(`(() => {
    const scroller = document.querySelector('main section section');
    const edge = scroller.getBoundingClientRect().top;
    const first = [...document.querySelectorAll('[data-row]')].find((row) => row.getBoundingClientRect().bottom > edge);
    return { seq: first.dataset.seq, top: first.getBoundingClientRect().top - edge };
  })()`);

/** Scrolls up by screens; while pages are fetched, what is looked at stays where it is. */
async function readUpwards(page: Page): Promise<void> {
  for (let screens = 0; screens < 60; screens += 1) {
    if ((await bubble(page, 'number 1.').count()) > 0) return;
    await page.evaluate("document.querySelector('main section section').scrollBy(0, -500)");
    const before = await place(page);
    // Near the upper end what is older is fetched, and comes above.
    await eventually(
      () => page.evaluate<number>("document.querySelector('main section section').scrollTop"),
      (top) => top >= 900,
    ).catch((error: unknown) => {
      if (before.seq === undefined || Number(before.seq) > 40) throw error;
    });
    const after = await place(page);
    expect(after.seq).toBe(before.seq);
    expect(Math.abs(after.top - before.top)).toBeLessThan(3);
  }
  throw new Error('The first message was not reached');
}
