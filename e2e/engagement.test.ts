import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comment, OwnVideo, Page as Paged, VideoDetail } from '@hvideo/protocol';
import type { Page } from 'playwright-core';
import { ApiUser, eventually, passwordOf } from '../packages/server/test/support/api.ts';
import { makeClip } from '../packages/server/test/support/media-samples.ts';
import { type RunningServer, startServer } from '../packages/server/test/support/server.ts';
import { en } from '../packages/web/src/i18n/en/index.ts';
import { zh } from '../packages/web/src/i18n/zh/index.ts';
import { chromiumPath, desktop, openBrowser, phone, seriousFaults } from './browser.ts';

let folder: string;
let server: RunningServer;
let author: ApiUser;
let videoId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-e2e-'));
  server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
  author = await new ApiUser(server.url).join('author', '/instance/setup');
  await new ApiUser(server.url).join('viewer');
  const path = await makeClip({ path: join(folder, 'clip.mp4'), seconds: 20, width: 360, height: 640 });
  const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
  const uploadId = await author.beginUpload(bytes.length);
  await author.append(uploadId, bytes);
  const title = 'Evening by the sea 海边的傍晚';
  videoId = (await author.call<OwnVideo>('POST', '/videos', { body: { uploadId, title } })).body.id;
  await eventually(
    async () => (await author.call<VideoDetail>('GET', `/videos/${videoId}`)).body.video.status,
    (status) => status === 'ready',
    90_000,
  );
}, 120_000);

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

const detail = async () => (await author.call<VideoDetail>('GET', `/videos/${videoId}`)).body.video;
const comments = async () =>
  (await author.call<Paged<Comment>>('GET', `/videos/${videoId}/comments`)).body.items;

describe.skipIf(chromiumPath() === undefined)('what people do with a video', () => {
  test('on a phone: two taps like, the comment sheet takes a comment, the video is kept', async () => {
    const texts = zh as Texts;
    await using browser = await openBrowser({ viewport: phone, locale: 'zh-CN', colorScheme: 'dark' });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await logIn(page, texts, 'viewer');
    const like = page.getByRole('button', { name: new RegExp(`^${texts.engagement.like}: `) }).first();
    await like.waitFor();
    expect(await like.getAttribute('aria-pressed')).toBe('false');
    await page.mouse.dblclick(180, 320);
    await eventually(detail, ({ counts }) => counts.likes === 1);
    expect(await like.getAttribute('aria-pressed')).toBe('true');
    // Two taps never take a like back.
    await page.waitForTimeout(500);
    await page.mouse.dblclick(200, 300);
    await page
      .getByRole('button', { name: new RegExp(`^${texts.engagement.favorite}: `) })
      .first()
      .click();
    await eventually(detail, ({ counts }) => counts.favorites === 1);
    expect((await detail()).counts.likes).toBe(1);

    await page
      .getByRole('button', { name: new RegExp(`^${texts.engagement.comments}: `) })
      .first()
      .click();
    const sheet = page.getByRole('dialog');
    await sheet.getByText(texts.engagement.noComments).waitFor();
    await sheet.getByRole('textbox').fill('真美！@author 在哪里拍的？');
    await sheet.getByRole('button', { name: texts.engagement.send }).click();
    await sheet.getByText('真美！').waitFor();
    expect(await sheet.getByRole('link', { name: '@author' }).getAttribute('href')).toContain('/@author');
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'hidden' });
    await page.reload();
    await page
      .getByRole('button', { name: `${texts.engagement.like}: 1` })
      .first()
      .waitFor();
    await page
      .getByRole('button', { name: `${texts.engagement.comments}: 1` })
      .first()
      .waitFor();
  }, 90_000);

  test('on a wide screen: the creator answers, pins and deletes', async () => {
    await using browser = await openBrowser({ viewport: desktop, locale: 'en-US', colorScheme: 'light' });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await logIn(page, en, 'author');
    const [first] = await eventually(comments, (found) => found.length === 1);
    await page.goto(`${server.url}/v/${videoId}?comment=${first!.id}`);
    const panel = page.getByRole('region', { name: en.engagement.comments });
    const comment = panel.getByRole('article').filter({ hasText: '真美！' }).first();
    await comment.getByRole('button', { name: en.engagement.reply }).click();
    await page.keyboard.type('Near the lighthouse.');
    await page.keyboard.press('Control+Enter');
    await eventually(comments, (found) => found[0]?.replies === 1);
    await panel
      .getByText('Near the lighthouse.')
      .or(panel.getByText(/Show replies/))
      .first()
      .waitFor();
    await comment.getByRole('button', { name: new RegExp(`^${en.engagement.like}`) }).click();
    await eventually(comments, (found) => found[0]?.likes === 1);
    await comment.getByRole('button', { name: en.engagement.options }).click();
    await page.getByRole('menuitem', { name: en.engagement.pin }).click();
    await comment.getByText(en.engagement.pinned).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await comment.getByRole('button', { name: en.engagement.options }).click();
    await page.getByRole('menuitem', { name: en.common.actions.delete }).click();
    await page.getByRole('dialog').getByRole('button', { name: en.common.actions.delete }).click();
    await panel.getByText(en.engagement.noComments).waitFor();
    await eventually(detail, ({ counts }) => counts.comments === 0);
  }, 90_000);

  test('a visitor who likes is asked to log in', async () => {
    await using browser = await openBrowser({ viewport: phone, locale: 'en-US', colorScheme: 'light' });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await page.goto(`${server.url}/v/${videoId}`);
    await page
      .getByRole('button', { name: new RegExp(`^${en.engagement.like}: `) })
      .first()
      .click();
    await page.waitForURL(
      (url) => url.pathname === '/login' && url.searchParams.get('next') === `/v/${videoId}`,
    );
  }, 60_000);

  test('what the server does not take is taken back, and nothing claims that it was kept', async () => {
    await using browser = await openBrowser({ viewport: phone, locale: 'zh-CN', colorScheme: 'light' });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await logIn(page, zh as Texts, 'viewer');
    await page.goto(`${server.url}/v/${videoId}`);
    const keep = page.getByRole('button', { name: new RegExp(`^${zh.engagement.favorite}: `) });
    await keep.waitFor();
    const before = await keep.getAttribute('aria-pressed');
    await browser.setOffline(true);
    await keep.click();
    await page.getByText(zh.errors.offline).waitFor();
    expect(await keep.getAttribute('aria-pressed')).toBe(before);
    expect(await page.getByText(zh.engagement.kept).count()).toBe(0);
  }, 60_000);

  test('a double click says a thing once, an answer is seen in its thread, and the focus comes back', async () => {
    await using browser = await openBrowser({ viewport: phone, locale: 'en-US', colorScheme: 'dark' });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await logIn(page, en, 'viewer');
    const opener = page.getByRole('button', { name: new RegExp(`^${en.engagement.comments}: `) }).first();
    await opener.focus();
    await page.keyboard.press('Enter');
    const sheet = page.getByRole('dialog');
    let sent = 0;
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/comments')) sent += 1;
    });
    await sheet.getByRole('textbox').fill('谢谢@author');
    await sheet.getByRole('button', { name: en.engagement.send }).dblclick();
    const comment = sheet.getByRole('article').filter({ hasText: '谢谢' }).first();
    // No space stands before a name in Chinese.
    await comment.getByRole('link', { name: '@author' }).waitFor();
    expect(sent).toBe(1);
    await comment.getByRole('button', { name: en.engagement.reply }).click();
    await page.keyboard.type('And once more.');
    await page.keyboard.press('Control+Enter');
    await sheet.getByText('And once more.').waitFor();
    await sheet.getByRole('heading', { name: '2 comments' }).waitFor();
    await page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'hidden' });
    await eventually(
      () => page.evaluate<string>('document.activeElement?.getAttribute("aria-label") ?? ""'),
      (focused) => focused.startsWith(`${en.engagement.comments}: `),
    );
  }, 90_000);

  test('every action and the box to write in can be reached on each kind of screen', async () => {
    await using browser = await openBrowser({ viewport: phone, locale: 'en-US', colorScheme: 'light' });
    const page = browser.pages()[0] ?? (await browser.newPage());
    await logIn(page, en, 'viewer');
    await page.goto(`${server.url}/v/${videoId}`);
    for (const viewport of [phone, { width: 844, height: 390 }, { width: 1280, height: 800 }]) {
      await page.setViewportSize(viewport);
      for (const name of [en.engagement.like, en.engagement.comments, en.share.title]) {
        // A trial waits until the button would get the click: not cut off, and under nothing else.
        await page
          .getByRole('button', { name: new RegExp(`^${name}: `) })
          .first()
          .click({ trial: true });
      }
      await page
        .getByRole('button', { name: new RegExp(`^${en.engagement.comments}: `) })
        .first()
        .click();
      await page.getByRole('textbox').click({ trial: true });
    }
  }, 60_000);

  test('a visitor who would comment is asked to log in, and comes back to the same place', async () => {
    await using browser = await openBrowser({ viewport: phone, locale: 'zh-CN', colorScheme: 'light' });
    const page = browser.pages()[0] ?? (await browser.newPage());
    const place = `/v/${videoId}?comment=1`;
    await page.goto(`${server.url}${place}`);
    await page.getByRole('button', { name: zh.engagement.signIn }).click();
    await page.waitForURL((url) => url.pathname === '/login' && url.searchParams.get('next') === place);
  }, 60_000);
});
