import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FollowingPage, OwnVideo, VideoDetail } from '@hvideo/protocol';
import type { Page } from 'playwright-core';
import { ApiUser, eventually, passwordOf } from '../packages/server/test/support/api.ts';
import { makeClip } from '../packages/server/test/support/media-samples.ts';
import { type RunningServer, startServer } from '../packages/server/test/support/server.ts';
import { en } from '../packages/web/src/i18n/en/index.ts';
import { zh } from '../packages/web/src/i18n/zh/index.ts';
import {
  chromiumPath,
  desktop,
  expectPicture,
  openBrowser,
  phone,
  playedSeconds,
  seriousFaults,
} from './browser.ts';

let folder: string;
let server: RunningServer;
let author: ApiUser;
let reader: ApiUser;
let clip: Uint8Array<ArrayBuffer>;

async function publish(by: ApiUser, title: string): Promise<string> {
  const uploadId = await by.beginUpload(clip.length);
  await by.append(uploadId, clip);
  const { id } = (await by.call<OwnVideo>('POST', '/videos', { body: { uploadId, title } })).body;
  await eventually(
    async () => (await by.call<VideoDetail>('GET', `/videos/${id}`)).body.video.status,
    (status) => status === 'ready',
    90_000,
  );
  return id;
}

const feed = async (of = reader) => (await of.call<FollowingPage>('GET', '/feed/following')).body;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-e2e-'));
  server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
  author = await new ApiUser(server.url).join('author', '/instance/setup');
  reader = await new ApiUser(server.url).join('reader');
  await reader.call('PUT', `/users/${author.id}/follow`);
  const path = await makeClip({ path: join(folder, 'clip.mp4'), seconds: 8, width: 180, height: 320 });
  clip = new Uint8Array(await Bun.file(path).arrayBuffer());
  for (const title of ['One 一', 'Two 二', 'Three 三', 'Four 四']) await publish(author, title);
}, 180_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Texts = typeof en;

async function logIn(page: Page, texts: Texts, username: string): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel(texts.account.login).fill(username);
  await page.getByLabel(texts.account.password).fill(passwordOf(username));
  await page.getByRole('button', { name: texts.account.submitLogin }).click();
  await page.waitForURL((url) => url.pathname === '/');
}

/** What is looked at: the one slide that takes part. */
const shown = (page: Page) => page.locator('article:not([inert])');
const untilShown = (page: Page, title: string) => shown(page).filter({ hasText: title }).waitFor();

/** A finger that draws the first slide down. */
const pullDown = `{
  const list = document.querySelector('section[tabindex="0"]');
  const touch = (type, ...ys) => list.dispatchEvent(new TouchEvent(type, {
    bubbles: true,
    touches: ys.map((y) => new Touch({ identifier: 1, target: list, clientX: 180, clientY: y })),
  }));
  touch('touchstart', 200);
  touch('touchmove', 260);
  touch('touchmove', 340);
  touch('touchend');
}`;

describe.skipIf(chromiumPath() === undefined)('the following feed', () => {
  test('while a clip plays, the beginnings of those further down are fetched', async () => {
    const third = (await feed()).items[2]?.id ?? '';
    await using browser = await openBrowser({ viewport: phone, locale: 'en-US', colorScheme: 'dark' });
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await logIn(page, en, 'reader');
    await page.goto(`${server.url}/following`);
    await untilShown(page, 'Four');
    await eventually(
      async () => asked.filter((path) => path.includes(`/${third}/`) && path.endsWith('.m4s')).length,
      (count) => count >= 1,
    );
    expect(await page.locator('article').count()).toBe(3);
  }, 90_000);

  test('what is new says so, moves nothing, and is shown when asked for', async () => {
    const texts = zh as Texts;
    await using browser = await openBrowser({ viewport: phone, locale: 'zh-CN', colorScheme: 'dark' });
    const page = await browser.newPage();
    await logIn(page, texts, 'reader');
    await page.goto(`${server.url}/following`);
    await untilShown(page, 'Four');
    await page.keyboard.press('ArrowDown');
    await untilShown(page, 'Three');
    await expectPicture(page);
    await publish(author, 'Five 五');
    const pill = page.getByRole('button', { name: '1 条新视频，点按查看' });
    await pill.waitFor({ timeout: 60_000 });
    expect(await shown(page).textContent()).toContain('Three');
    expect(await seriousFaults(page)).toEqual([]);
    await pill.click();
    await untilShown(page, 'Five');
    await pill.waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowDown');
    await untilShown(page, 'Four');
    await page.keyboard.press('ArrowDown');
    await untilShown(page, 'Three');

    // By hand there is nothing to wait for.
    await publish(author, 'Six 六');
    await page.keyboard.press('r');
    await untilShown(page, 'Six');
    await page.evaluate(pullDown);
    await page.getByText(texts.feed.nothingNew).waitFor();
  }, 180_000);

  test('another device offers to go on where one was, and shows what is new above', async () => {
    const traveller = await new ApiUser(server.url).join('traveller');
    await traveller.call('PUT', `/users/${author.id}/follow`);
    {
      await using browser = await openBrowser({ viewport: phone, locale: 'zh-CN', colorScheme: 'light' });
      const page = await browser.newPage();
      const [newest, second] = (await feed(traveller)).items;
      await logIn(page, zh as Texts, 'traveller');
      await page.goto(`${server.url}/following`);
      await untilShown(page, newest?.title ?? '');
      await page.keyboard.press('ArrowDown');
      await untilShown(page, second?.title ?? '');
      // Long enough for a look: less is scrolling past.
      await eventually(
        () => playedSeconds(page),
        (seconds) => seconds > 1.5,
      );
      await page.getByRole('link', { name: zh.common.nav.home }).first().click();
      await page.waitForURL((url) => url.pathname === '/');
    }
    const { items, position } = await eventually(
      () => feed(traveller),
      (page) => page.position !== null,
    );
    const at = items.findIndex(({ reason }) => reason.entryId === position?.entryId);
    const title = items[at]?.title ?? '';
    await publish(author, 'Seven 七');

    await using browser = await openBrowser({ viewport: desktop, locale: 'en-US', colorScheme: 'light' });
    const page = await browser.newPage();
    await logIn(page, en, 'traveller');
    await page.goto(`${server.url}/following`);
    const offer = page.getByRole('button', { name: new RegExp(en.feed.continueTitle) });
    await offer.filter({ hasText: `${at + 1} new above` }).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await offer.click();
    await untilShown(page, title);
    await shown(page)
      .getByText(/^You were here/)
      .waitFor();
    await offer.waitFor({ state: 'detached' });

    await page.goto(`${server.url}/following?from=${encodeURIComponent(position?.cursor ?? '')}`);
    await untilShown(page, title);
    await page.getByRole('button', { name: en.feed.newest }).click();
    await untilShown(page, 'Seven');
    await page.goto(`${server.url}/following?from=made-up`);
    await untilShown(page, 'Seven');
  }, 180_000);

  test.each([
    ['in English on a wide light screen', en, { viewport: desktop, locale: 'en-US', colorScheme: 'light' }],
    ['in Chinese on a dark phone', zh as Texts, { viewport: phone, locale: 'zh-CN', colorScheme: 'dark' }],
  ] as const)(
    'after the very first clip the feed says that this was all, %s',
    async (_name, texts, device) => {
      await using browser = await openBrowser(device);
      const page = await browser.newPage();
      await logIn(page, texts, 'reader');
      await page.goto(`${server.url}/following`);
      const { items } = await feed();
      for (const { title } of items) {
        await untilShown(page, title);
        await page.keyboard.press('ArrowDown');
      }
      await page.getByRole('heading', { name: texts.feed.caughtUp }).waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      await page.getByRole('button', { name: texts.watch.feed.backToTop }).click();
      await untilShown(page, items[0]?.title ?? '');
    },
    120_000,
  );

  test('a repost with words is in the feed of a follower, until it is taken back', async () => {
    const painter = await new ApiUser(server.url).join('painter');
    const lin = await new ApiUser(server.url).join('lin');
    await reader.call('PUT', `/users/${lin.id}/follow`);
    const id = await publish(painter, 'A wall in blue 蓝墙');
    await using lins = await openBrowser({ viewport: desktop, locale: 'en-US', colorScheme: 'light' });
    const desk = await lins.newPage();
    await logIn(desk, en, 'lin');
    await desk.goto(`${server.url}/v/${id}`);
    const button = desk.getByRole('button', { name: new RegExp(`^${en.engagement.repost}: `) });
    await button.click();
    const sheet = desk.getByRole('dialog', { name: en.feed.repost.title });
    expect(await seriousFaults(desk)).toEqual([]);
    await sheet.getByLabel(en.feed.repost.comment).fill('Look at the upper left corner');
    await sheet.getByRole('button', { name: en.feed.repost.withComment }).click();
    await desk.getByText(en.engagement.reposted).waitFor();
    expect(await button.getAttribute('aria-pressed')).toBe('true');

    await using readers = await openBrowser({ viewport: phone, locale: 'zh-CN', colorScheme: 'dark' });
    const page = await readers.newPage();
    await logIn(page, zh as Texts, 'reader');
    await page.goto(`${server.url}/following`);
    await untilShown(page, 'A wall in blue');
    const words = shown(page).locator('blockquote');
    expect(await words.textContent()).toBe('Look at the upper left corner');
    expect(await shown(page).textContent()).toContain(`lin${zh.feed.reposted}`);
    expect(await seriousFaults(page)).toEqual([]);

    await button.click();
    await sheet.getByRole('button', { name: en.feed.repost.undo }).click();
    await desk.getByText(en.feed.repost.undone).waitFor();
    await page.reload();
    await untilShown(page, (await feed()).items[0]?.title ?? '');
    expect(await shown(page).textContent()).not.toContain('A wall in blue');
  }, 180_000);
});
