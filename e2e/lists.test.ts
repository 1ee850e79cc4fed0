import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryEntry, OwnVideo, Page as Paged, VideoDetail } from '@hvideo/protocol';
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

const title = 'A long walk 长长的散步';
let folder: string;
let server: RunningServer;
let videoId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-e2e-'));
  server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
  const author = await new ApiUser(server.url).join('author', '/instance/setup');
  const path = await makeClip({ path: join(folder, 'clip.mp4'), seconds: 40, width: 360, height: 640 });
  const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
  const uploadId = await author.beginUpload(bytes.length);
  await author.append(uploadId, bytes);
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
const cases = [
  {
    name: 'in Chinese on a dark phone',
    texts: zh as Texts,
    device: { viewport: phone, locale: 'zh-CN', colorScheme: 'dark' },
    username: 'viewer_zh',
  },
  {
    name: 'in English on a wide light screen',
    texts: en,
    device: { viewport: desktop, locale: 'en-US', colorScheme: 'light' },
    username: 'viewer_en',
  },
] as const;

async function logIn(page: Page, texts: Texts, username: string): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel(texts.account.login).fill(username);
  await page.getByLabel(texts.account.password).fill(passwordOf(username));
  await page.getByRole('button', { name: texts.account.submitLogin }).click();
  await page.waitForURL((url) => url.pathname === '/');
}

const entryOf = async (viewer: ApiUser) =>
  (await viewer.call<Paged<HistoryEntry>>('GET', '/users/me/history')).body.items[0];

const watchUntil = (page: Page, seconds: number) =>
  eventually(
    () => playedSeconds(page),
    (played) => played >= seconds,
  );

describe.skipIf(chromiumPath() === undefined).each(cases)(
  'what one watches and keeps, $name',
  ({ texts, device, username }) => {
    test('is told while it plays and when the tab closes, and goes on from there', async () => {
      const viewer = await new ApiUser(server.url).join(username);
      await using browser = await openBrowser(device);
      const first = await browser.newPage();
      await logIn(first, texts, username);
      const page = await browser.newPage();
      await page.goto(`${server.url}/v/${videoId}`);
      await eventually(
        () => entryOf(viewer),
        (entry) => entry !== undefined,
      );
      await watchUntil(page, 7);
      expect((await entryOf(viewer))?.positionMs).toBeLessThan(7_000);
      await page.close();
      const left = await eventually(
        () => entryOf(viewer),
        (entry) => (entry?.positionMs ?? 0) >= 7_000,
      );
      expect(left).toMatchObject({ video: { id: videoId }, completed: false });

      await first.goto(`${server.url}/history`);
      await first.getByRole('heading', { name: texts.lists.history.today }).waitFor();
      expect(await seriousFaults(first)).toEqual([]);
      await first.getByRole('link', { name: title }).click();
      await first.getByText(texts.lists.resumed.split('{{')[0]?.trim() ?? '').waitFor();
      await expectPicture(first);
      expect(await playedSeconds(first)).toBeGreaterThan(6);
      expect(await seriousFaults(first)).toEqual([]);
      await first.getByRole('button', { name: texts.lists.startOver }).click();
      await eventually(
        () => playedSeconds(first),
        (seconds) => seconds < 4,
      );
    }, 90_000);

    test('can be passed on: a link, a QR code, and a player for other sites', async () => {
      const viewer = await new ApiUser(server.url).call<VideoDetail>('GET', `/videos/${videoId}`);
      const shares = viewer.body.video.counts.shares;
      await using browser = await openBrowser(device);
      await browser.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
      const page = await browser.newPage();
      await logIn(page, texts, username);
      await page.goto(`${server.url}/v/${videoId}`);
      await page.getByRole('button', { name: texts.share.title, exact: true }).last().click();
      const sheet = page.getByRole('dialog', { name: texts.share.title });
      await sheet.getByRole('img', { name: texts.share.qr }).waitFor();
      expect(await sheet.getByLabel(texts.share.link, { exact: true }).inputValue()).toBe(
        `${server.url}/v/${videoId}`,
      );
      expect(await seriousFaults(page)).toEqual([]);
      await sheet.getByRole('button', { name: texts.share.copy, exact: true }).click();
      await sheet.getByText(texts.share.copied).waitFor();
      expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(
        `${server.url}/v/${videoId}`,
      );
      await eventually(
        async () =>
          (await new ApiUser(server.url).call<VideoDetail>('GET', `/videos/${videoId}`)).body.video.counts
            .shares,
        (count) => count === shares + 1,
      );
      await sheet.getByRole('button', { name: texts.share.embed, exact: true }).click();
      const code = await sheet.locator('textarea').inputValue();
      expect(code).toContain(`src="${server.url}/embed/${videoId}"`);
      expect(await seriousFaults(page)).toEqual([]);
      await playElsewhere(await browser.newPage(), texts, code);
    }, 90_000);

    test('is found again on the profile, in folders, and is shown to others only when one says so', async () => {
      const viewer = await signedIn(username);
      await viewer.call('PUT', `/videos/${videoId}/favorite`);
      await using browser = await openBrowser(device);
      const page = await browser.newPage();
      await logIn(page, texts, username);
      const list = `${server.url}/@${username}/favorites`;
      await page.goto(list);
      await page.getByRole('link', { name: title }).waitFor();
      await page.getByRole('button', { name: texts.lists.folder.new }).click();
      await page.getByLabel(texts.lists.folder.name, { exact: true }).fill('Walks');
      await page.getByRole('button', { name: texts.lists.folder.create, exact: true }).click();
      await page.getByRole('link', { name: 'Walks' }).waitFor();
      await page
        .getByRole('button', { name: texts.lists.favorites.menu.replace('{{title}}', title) })
        .click();
      await page.getByRole('menuitem', { name: texts.lists.favorites.move }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Walks' }).click();
      await page.getByText(texts.lists.favorites.moved.replace('{{folder}}', 'Walks')).waitFor();
      await page.getByRole('link', { name: 'Walks' }).click();
      await page.getByRole('heading', { name: 'Walks' }).waitFor();
      await page.getByRole('link', { name: title }).waitFor();
      expect(await seriousFaults(page)).toEqual([]);

      await using strangers = await openBrowser(device);
      const stranger = await strangers.newPage();
      await stranger.goto(list);
      await stranger.getByText(texts.lists.privateTitle).waitFor();
      await page.goto(`${server.url}/settings/privacy`);
      await page.getByRole('switch', { name: texts.lists.privacy.favorites }).click();
      await eventually(
        async () => (await viewer.call<{ favorites: boolean }>('GET', '/users/me/list-settings')).body,
        (settings) => settings.favorites,
      );
      expect(await seriousFaults(page)).toEqual([]);
      await stranger.goto(`${server.url}/@${username}`);
      await stranger.getByRole('link', { name: texts.lists.tabs.favorites }).click();
      await stranger.getByRole('link', { name: title }).waitFor();
      expect(await stranger.getByRole('link', { name: texts.lists.tabs.likes }).count()).toBe(0);
      expect(await seriousFaults(stranger)).toEqual([]);
    }, 90_000);

    test('is forgotten when one erases it', async () => {
      const viewer = await signedIn(username);
      await using browser = await openBrowser(device);
      const page = await browser.newPage();
      await logIn(page, texts, username);
      await page.goto(`${server.url}/history`);
      await page.getByRole('link', { name: title }).waitFor();
      await page.getByRole('button', { name: texts.lists.history.clear }).click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: texts.lists.history.clear, exact: true })
        .click();
      await page.getByText(texts.lists.history.empty).waitFor();
      expect(await entryOf(viewer)).toBeUndefined();
    }, 60_000);
  },
);

async function signedIn(username: string): Promise<ApiUser> {
  const user = new ApiUser(server.url);
  const answer = await user.call<{ accessToken: string }>('POST', '/auth/login', {
    body: { login: username, password: passwordOf(username) },
  });
  user.accessToken = answer.body.accessToken;
  return user;
}

/** Puts the code into a page of another site: the player plays there, and no other page of ours is shown. */
async function playElsewhere(page: Page, texts: Texts, code: string): Promise<void> {
  const html = `<!doctype html><title>x</title>${code}<iframe id="app" src="${server.url}/v/${videoId}"></iframe>`;
  await using site = Bun.serve({
    port: 0,
    fetch: () => new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
  });
  const refused = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()));
  // Another name for the same machine is another site.
  await page.goto(`http://localhost:${site.port}/`);
  await refused;
  const frame = page.frames().find((each) => each.url().includes('/embed/'));
  if (!frame) throw new Error('the player was not framed');
  await frame.getByRole('button', { name: texts.watch.player.play }).first().click();
  await eventually(
    () => frame.evaluate<number>('document.querySelector("video")?.currentTime ?? 0'),
    (seconds) => seconds > 0.5,
  );
}
