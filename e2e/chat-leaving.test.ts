import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Page } from 'playwright-core';
import { chromiumPath, openBrowser, seriousFaults } from './browser.ts';
import {
  bubble,
  type Community,
  chinese,
  dark,
  direct,
  logIn,
  openCommunity,
  say,
  words,
} from './chat-people.ts';

let community: Community;
beforeAll(async () => {
  community = await openCommunity();
}, 120_000);
afterAll(() => community[Symbol.asyncDispose]());

/** Keys of what the chat keeps in the browser, and what the page keeps of chats. */
const kept = (page: Page) =>
  page.evaluate<string[]>(`new Promise((resolve, reject) => {
    const drafts = Object.keys(localStorage).filter((key) => key.startsWith('hvideo.drafts'));
    const opening = indexedDB.open('hvideo.chat');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const keys = opening.result.transaction('values').objectStore('values').getAllKeys();
      keys.onsuccess = () => resolve([...keys.result, ...drafts]);
    };
  })`);

describe.skipIf(chromiumPath() === undefined)('leaving a device', () => {
  test('what is not sent is asked about, and nothing of it stays', async () => {
    const { url, lin, noa } = community;
    const { id } = await direct(lin, noa);
    await using browser = await openBrowser(dark);
    const page = await browser.newPage();
    await logIn(page, chinese, 'lin_wan', url);
    await noa.call('PUT', `/users/${lin.id}/block`);
    await page.goto(`${url}/messages/${id}`);
    await say(page, '周六去吗');
    await bubble(page, '周六去吗').getByRole('button', { name: chinese.chat.discard }).waitFor();
    await page.locator('form textarea').fill('只写了一半');
    await page.goto(`${url}/`);
    const leave = async () => {
      await page.getByRole('button', { name: chinese.common.nav.more }).click();
      await page.getByRole('menuitem', { name: chinese.common.nav.logout }).click();
    };
    await leave();
    await page.getByText(words(chinese.common.leaving.text_other, { count: '1' })).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole('button', { name: chinese.common.actions.cancel }).click();
    expect((await kept(page)).filter((key) => key.includes('/m/'))).toHaveLength(1);
    await leave();
    await page.getByRole('button', { name: chinese.common.leaving.confirm }).click();
    await page.getByText(chinese.common.status.loggedOut).waitFor();
    expect(await kept(page)).toEqual([]);
  }, 120_000);
});
