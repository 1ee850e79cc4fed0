import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { eventually, passwordOf } from '../packages/server/test/support/api.ts';
import { makeClip } from '../packages/server/test/support/media-samples.ts';
import { type RunningServer, startServer } from '../packages/server/test/support/server.ts';
import { en } from '../packages/web/src/i18n/en/index.ts';
import { zh } from '../packages/web/src/i18n/zh/index.ts';
import { chromiumPath, desktop, expectPicture, openBrowser, phone, seriousFaults, tabTo } from './browser.ts';

let folder: string;
let clip: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-journeys-'));
  clip = await makeClip({ path: join(folder, 'clip.mp4'), seconds: 8, width: 540, height: 960 });
  server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Texts = typeof en;

const cases = [
  {
    name: 'in English on a wide light screen',
    texts: en,
    device: { viewport: desktop, locale: 'en-US', colorScheme: 'light' },
    people: { author: 'author_en', viewer: 'viewer_en' },
    title: 'A walk by the river',
  },
  {
    name: 'in Chinese on a dark phone',
    texts: zh as Texts,
    device: { viewport: phone, locale: 'zh-CN', colorScheme: 'dark' },
    people: { author: 'author_zh', viewer: 'viewer_zh' },
    title: '河边散步',
  },
] as const;

/** Fills in the form of a new member and comes out signed in. */
async function register(page: Page, texts: Texts, username: string): Promise<void> {
  await page.goto(`${server.url}/register`);
  await page.getByLabel(texts.account.username).fill(username);
  await page.getByLabel(texts.account.password).fill(passwordOf(username));
  expect(await seriousFaults(page)).toEqual([]);
  await page.getByRole('button', { name: texts.account.submitRegister }).click();
  await page.waitForURL((url) => url.pathname === '/');
}

/** Opens the path, waits for `landmark` and lets axe look. */
async function inspect(page: Page, path: string, landmark: string): Promise<void> {
  await page.goto(server.url + path);
  await page.getByText(landmark).filter({ visible: true }).first().waitFor();
  const faults = await seriousFaults(page);
  expect(faults.map((fault) => `${path}: ${fault}`)).toEqual([]);
}

async function publish(browser: BrowserContext, texts: Texts, title: string): Promise<void> {
  const page = await browser.newPage();
  await page.goto(`${server.url}/upload`);
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: texts.upload.choose }).click();
  await (await choosing).setFiles(clip);
  await page.getByText(texts.upload.uploaded).waitFor();
  await page.getByLabel(texts.upload.name, { exact: true }).fill(title);
  expect(await seriousFaults(page)).toEqual([]);
  await page.getByRole('button', { name: texts.upload.publish, exact: true }).click();
  // Percent and stage come by server-sent events; the first rung can be watched while the others are made.
  await page.getByRole('progressbar', { name: title }).waitFor();
  await page.getByRole('link', { name: texts.upload.watch }).waitFor();
  await page.getByRole('status').filter({ hasText: texts.upload.stages.done }).waitFor({ timeout: 60_000 });
  expect(await seriousFaults(page)).toEqual([]);
  await page.getByRole('link', { name: texts.upload.watch }).click();
  await expectPicture(page);
  expect(await seriousFaults(page)).toEqual([]);
}

describe.skipIf(chromiumPath() === undefined)(
  'from an empty community to a clip in a follower’s feed',
  () => {
    test('the first visitor sets the community up', async () => {
      await using browser = await openBrowser(cases[0].device);
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.getByText(en.common.setupHint).filter({ visible: true }).first().click();
      await page.getByLabel(en.account.instanceName).fill('River club');
      await page.getByLabel(en.account.username).fill('founder');
      await page.getByLabel(en.account.password).fill(passwordOf('founder'));
      expect(await seriousFaults(page)).toEqual([]);
      await page.getByRole('button', { name: en.account.submitSetup }).click();
      await page.getByText(en.watch.feed.emptyTitle).waitFor();
      await page.goto(`${server.url}/setup`);
      await page.getByText(en.account.setupDone).waitFor();
    }, 60_000);

    test.each(cases)(
      'one publishes and another follows and watches with the keyboard, $name',
      async (it) => {
        const { texts, device, people, title } = it;
        const faults: string[] = [];
        await using authors = await openBrowser(device);
        await using viewers = await openBrowser(device);
        for (const browser of [authors, viewers]) {
          browser.on('weberror', (error) => faults.push(error.error().message));
        }
        const author = await authors.newPage();
        await register(author, texts, people.author);
        await publish(authors, texts, title);

        const viewer = await viewers.newPage();
        await register(viewer, texts, people.viewer);
        await viewer.goto(`${server.url}/following`);
        await viewer.getByText(texts.watch.feed.emptyFollowingTitle).waitFor();
        expect(await seriousFaults(viewer)).toEqual([]);

        // From here on only the keyboard is used.
        await viewer.goto(`${server.url}/@${people.author}`);
        await tabTo(viewer, `${texts.watch.relation.follow}: ${people.author}`);
        await viewer.keyboard.press('Enter');
        await viewer.getByRole('button', { name: texts.watch.relation.following, pressed: true }).waitFor();
        await tabTo(viewer, texts.common.nav.following);
        await viewer.keyboard.press('Enter');
        await viewer.waitForURL((url) => url.pathname === '/following');
        await expectPicture(viewer);
        expect(await viewer.textContent('body')).toContain(title);
        await viewer.keyboard.press('Space');
        await eventually(
          () =>
            viewer.evaluate<boolean>(
              '[...document.querySelectorAll("video")].every((video) => video.paused)',
            ),
          (isPaused) => isPaused,
        );
        await viewer.keyboard.press('Space');
        await expectPicture(viewer);
        await viewer.keyboard.press('?');
        await viewer.getByRole('dialog', { name: texts.watch.keys.title }).waitFor();
        expect(await seriousFaults(viewer)).toEqual([]);
        expect(faults).toEqual([]);
      },
      180_000,
    );

    test.each(cases)(
      'every other page is whole, $name',
      async ({ texts, device, people, title }) => {
        await using browser = await openBrowser(device);
        const page = await browser.newPage();
        await inspect(page, '/login', texts.account.loginTitle);
        await inspect(page, '/following', texts.watch.feed.signInTitle);
        await page.goto(`${server.url}/login`);
        await page.getByLabel(texts.account.login).fill(people.author);
        await page.getByLabel(texts.account.password).fill(passwordOf(people.author));
        await page.getByRole('button', { name: texts.account.submitLogin }).click();
        await page.waitForURL((url) => url.pathname === '/');
        await inspect(page, '/studio', title);
        await inspect(page, '/settings', texts.account.devices);
        await inspect(page, `/@${people.author}`, people.author);
        await inspect(page, `/@${people.author}/people/followers`, people.viewer);
        await inspect(page, '/@nobody_here', texts.watch.profile.notFound);
        await inspect(page, '/v/1', texts.watch.video.notFound);
        await inspect(page, '/no/such/page', texts.common.error.notFoundTitle);
      },
      120_000,
    );
  },
);
