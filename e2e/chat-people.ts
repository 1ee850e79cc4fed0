import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Conversation } from '@hvideo/protocol';
import type { Page } from 'playwright-core';
import { ApiUser, passwordOf } from '../packages/server/test/support/api.ts';
import { startServer } from '../packages/server/test/support/server.ts';
import { chat as englishChat } from '../packages/web/src/i18n/en/chat.ts';
import { en as english } from '../packages/web/src/i18n/en/index.ts';
import { chat as chineseChat } from '../packages/web/src/i18n/zh/chat.ts';
import { zh as others } from '../packages/web/src/i18n/zh/index.ts';
import { desktop, phone } from './browser.ts';

export const en = { ...english, chat: englishChat };
export type Texts = typeof en;
export const chinese = { ...others, chat: chineseChat } as Texts;

/** Three people who follow each other, on a server of their own. */
export interface Community extends AsyncDisposable {
  readonly url: string;
  readonly lin: ApiUser;
  readonly wei: ApiUser;
  readonly noa: ApiUser;
}

export async function openCommunity(): Promise<Community> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-e2e-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const { url } = opening.use(await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } }));
  await new ApiUser(url).join('chief', '/instance/setup');
  const member = async (username: string, displayName: string) => {
    const user = await new ApiUser(url).join(username);
    await user.call('PATCH', '/users/me', { body: { displayName } });
    return user;
  };
  const lin = await member('lin_wan', '林晚');
  const wei = await member('wei_z', 'Wei Zhang');
  const noa = await member('noa', 'Noa');
  for (const user of [lin, wei, noa]) {
    for (const other of [lin, wei, noa]) {
      if (user !== other) await user.call('PUT', `/users/${other.id}/follow`);
    }
  }
  const opened = opening.move();
  return { url, lin, wei, noa, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

export async function logIn(page: Page, texts: Texts, username: string, url: string): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel(texts.account.login).fill(username);
  await page.getByLabel(texts.account.password).fill(passwordOf(username));
  await page.getByRole('button', { name: texts.account.submitLogin }).click();
  await page.waitForURL((url) => url.pathname === '/');
}

/** The bubble of a message. */
export const bubble = (page: Page, text: string) =>
  page.locator('[data-row]').filter({ has: page.locator('[data-bubble]', { hasText: text }) });
export const box = (page: Page) => page.locator('form textarea');
export const row = (page: Page, name: string) => page.getByRole('navigation').getByRole('link', { name });
export const words = (text: string, values: Record<string, string>) =>
  Object.entries(values).reduce((said, [name, value]) => said.replace(`{{${name}}}`, value), text);

export async function say(page: Page, text: string): Promise<void> {
  await box(page).fill(text);
  // Until the conversation is there nothing can be said in it.
  await page.locator('form:has(textarea) button[type=submit]:enabled').waitFor();
  await box(page).press('Enter');
  await bubble(page, text).waitFor();
}

export const state = (page: Page, text: string, label: string) =>
  bubble(page, text).getByRole('img', { name: label }).waitFor();

export const begin = async (by: ApiUser, body: object) =>
  (await by.call<Conversation>('POST', '/conversations', { body })).body;
export const direct = (by: ApiUser, other: ApiUser) => begin(by, { type: 'direct', memberIds: [other.id] });

export const wide = { viewport: desktop, locale: 'en-US', colorScheme: 'light' } as const;
export const dark = { viewport: phone, locale: 'zh-CN', colorScheme: 'dark' } as const;
