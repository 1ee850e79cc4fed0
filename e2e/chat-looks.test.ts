import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Locator } from 'playwright-core';
import { chromiumPath, openBrowser } from './browser.ts';
import {
  begin,
  bubble,
  type Community,
  dark,
  direct,
  en,
  logIn,
  openCommunity,
  say,
  wide,
} from './chat-people.ts';

let community: Community;
beforeAll(async () => {
  community = await openCommunity();
}, 120_000);
afterAll(() => community[Symbol.asyncDispose]());

/** A finger meets nothing smaller. */
const fingerPx = 44;
const height = async (of: Locator) => (await of.boundingBox())?.height ?? 0;
const isRightToLeft = async (of: Locator) => (await of.and(of.page().locator(':dir(rtl)')).count()) === 1;

describe.skipIf(chromiumPath() === undefined)('how the chat looks', () => {
  test('each text runs in its own direction, in the bubble, in a quote and in the list', async () => {
    const { url, lin, wei } = community;
    const { id } = await direct(lin, wei);
    const tell = (body: object) => lin.call('POST', `/conversations/${id}/messages`, { body });
    await tell({ type: 'text', text: 'مرحبا، كيف حالك مع English؟' });
    await tell({ type: 'text', text: 'As I said', quote: 1 });
    await tell({ type: 'text', text: 'إلى اللقاء' });
    await using browser = await openBrowser(wide);
    const page = await browser.newPage();
    await logIn(page, en, 'wei_z', url);
    await page.goto(`${url}/messages/${id}`);
    const rows = page.locator('[data-row]');
    await bubble(page, 'As I said').waitFor();
    expect(await isRightToLeft(rows.first().locator('[data-bubble] > div'))).toBe(true);
    expect(await isRightToLeft(bubble(page, 'As I said').locator('[data-bubble] > div'))).toBe(false);
    expect(await isRightToLeft(page.getByTitle(en.chat.quoted).getByText('مرحبا'))).toBe(true);
    const inList = page.getByRole('navigation', { name: en.chat.list }).getByText('إلى اللقاء');
    expect(await isRightToLeft(inList)).toBe(true);
    await page.locator('form textarea').fill('أهلا');
    expect(await isRightToLeft(page.locator('form textarea'))).toBe(true);
  }, 60_000);

  test('on a phone, what is pressed is large enough, and people are looked for with a way back', async () => {
    const { url, lin, wei, noa } = community;
    const group = await begin(wei, { type: 'group', memberIds: [noa.id], title: 'Fingers' });
    const { id } = await direct(wei, lin);
    await using browser = await openBrowser({ ...dark, locale: 'en-US', hasTouch: true, isMobile: true });
    const page = await browser.newPage();
    await logIn(page, en, 'wei_z', url);
    await page.goto(`${url}/messages/${group.id}`);
    await page.getByRole('button', { name: en.chat.group.open }).click();
    await page.getByRole('button', { name: en.chat.group.add }).click();
    const search = page.getByLabel(en.chat.picker.search);
    await search.fill('nobody of this name');
    await page.getByText(en.chat.picker.none).waitFor();
    await page.getByRole('button', { name: en.common.actions.clear }).click();
    expect(await search.inputValue()).toBe('');
    expect(await search.and(page.locator(':focus')).count()).toBe(1);
    await page.getByRole('button', { name: /林晚/ }).click();
    const chosen = page.getByRole('list', { name: en.chat.picker.chosen }).getByRole('button');
    expect(await height(chosen)).toBeGreaterThanOrEqual(fingerPx);

    await lin.call('PUT', `/users/${wei.id}/block`);
    await page.goto(`${url}/messages/${id}`);
    await say(page, 'This one fails');
    for (const name of [en.chat.resend, en.chat.discard]) {
      const button = bubble(page, 'This one fails').getByRole('button', { name });
      await button.waitFor();
      expect(await height(button)).toBeGreaterThanOrEqual(fingerPx);
    }
    await lin.call('DELETE', `/users/${wei.id}/block`);
  }, 60_000);
});
