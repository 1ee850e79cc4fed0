import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comment, Notification, OwnVideo, Page as Paged, VideoDetail } from '@hvideo/protocol';
import type { Page } from 'playwright-core';
import { ApiUser, eventually, passwordOf } from '../packages/server/test/support/api.ts';
import { makeClip } from '../packages/server/test/support/media-samples.ts';
import { type RunningServer, startServer } from '../packages/server/test/support/server.ts';
import { en } from '../packages/web/src/i18n/en/index.ts';
import { zh } from '../packages/web/src/i18n/zh/index.ts';
import { chromiumPath, desktop, openBrowser, phone, seriousFaults } from './browser.ts';

let folder: string;
let server: RunningServer;
let clip: Uint8Array<ArrayBuffer>;
let fans: ApiUser[];
const names = ['林晓雨', 'Wei Zhang', 'Noa', 'Marta', '小北', 'Ibrahim'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-e2e-'));
  server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
  await new ApiUser(server.url).join('chief', '/instance/setup');
  const path = await makeClip({ path: join(folder, 'clip.mp4'), seconds: 4, width: 360, height: 640 });
  clip = new Uint8Array(await Bun.file(path).arrayBuffer());
  fans = await Promise.all(
    names.map(async (displayName, at) => {
      const fan = await new ApiUser(server.url).join(`fan_${at}`);
      await fan.call('PATCH', '/users/me', { body: { displayName } });
      return fan;
    }),
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
    username: 'creator_zh',
  },
  {
    name: 'in English on a wide light screen',
    texts: en,
    device: { viewport: desktop, locale: 'en-US', colorScheme: 'light' },
    username: 'creator_en',
  },
] as const;

async function publish(author: ApiUser): Promise<string> {
  const uploadId = await author.beginUpload(clip.length);
  await author.append(uploadId, clip);
  const body = { uploadId, title: 'Morning on the lake 湖边的早晨' };
  const { id } = (await author.call<OwnVideo>('POST', '/videos', { body })).body;
  await eventually(
    async () => (await author.call<VideoDetail>('GET', `/videos/${id}`)).body.video.status,
    (status) => status === 'ready',
    60_000,
  );
  return id;
}

async function logIn(page: Page, texts: Texts, username: string): Promise<void> {
  await page.goto(`${server.url}/login`);
  await page.getByLabel(texts.account.login).fill(username);
  await page.getByLabel(texts.account.password).fill(passwordOf(username));
  await page.getByRole('button', { name: texts.account.submitLogin }).click();
  await page.waitForURL((url) => url.pathname === '/');
}

const say = async (user: ApiUser, videoId: string, body: { text: string; replyTo?: string }) =>
  (await user.call<Comment>('POST', `/videos/${videoId}/comments`, { body })).body;

/** Five groups: likes of all fans, comments of two, an answer to one's own, a repost, a follow. */
async function applaud(creator: ApiUser, videoId: string): Promise<{ answer: Comment }> {
  const [lin, wei, noa] = fans as [ApiUser, ApiUser, ApiUser];
  for (const fan of fans.toReversed()) await fan.call('PUT', `/videos/${videoId}/like`);
  await say(noa, videoId, { text: 'The light in the second half is wonderful' });
  await say(wei, videoId, { text: '太美了，这是哪里？' });
  const own = await say(creator, videoId, { text: 'Filmed at half past five' });
  await wei.call('POST', `/videos/${videoId}/repost`);
  const text = 'So early! Which lens did you take for the last part, and was there any wind?';
  const answer = await say(noa, videoId, { text, replyTo: own.id });
  await lin.call('PUT', `/users/${creator.id}/follow`);
  await eventually(
    async () => (await creator.call<Paged<Notification>>('GET', '/notifications')).body.items.length,
    (count) => count === 5,
  );
  return { answer };
}

describe.skipIf(chromiumPath() === undefined).each(cases)(
  'notifications, $name',
  ({ texts, device, username }) => {
    test('are counted at the bell, gathered, read when seen, and lead to what they tell of', async () => {
      const creator = await new ApiUser(server.url).join(username);
      const videoId = await publish(creator);
      const { answer } = await applaud(creator, videoId);
      await using browser = await openBrowser(device);
      const page = await browser.newPage();
      await logIn(page, texts, username);
      const unread = texts.notifications.unread_other.replace('{{count}}', '5');
      const bell = page.getByRole('link', { name: unread });
      await bell.click();
      await page.getByRole('heading', { name: texts.notifications.title }).waitFor();
      const rows = page.getByRole('main').getByRole('listitem');
      await rows.nth(4).waitFor();
      const likes = texts.notifications.who.many.replace(/<\/?b>/g, '');
      const sentence = texts.notifications.said.like.replace(
        '<who/>',
        likes.replace('{{name}}', names[0] ?? '').replace('{{others}}', '5'),
      );
      await page.getByText(sentence).waitFor();
      await bell.waitFor({ state: 'detached' });
      expect(await seriousFaults(page)).toEqual([]);

      await rows.filter({ hasText: answer.text }).getByRole('link').click();
      await page.waitForURL((url) => url.pathname === `/v/${videoId}` && url.search.includes(answer.id));
      await page.goBack();
      await page.getByRole('button', { name: texts.notifications.follows, exact: true }).click();
      await eventually(
        () => rows.count(),
        (count) => count === 1,
      );
      await page.getByRole('button', { name: texts.watch.relation.followBack }).click();
      await page.getByRole('button', { name: texts.watch.relation.friends }).waitFor();
      // The button changes at once, the server a moment later.
      await eventually(
        async () =>
          (await creator.call<Paged<Notification>>('GET', '/notifications?kind=follows')).body.items[0],
        (item) => item?.read === true && item.actors[0]?.relation.following === true,
      );
    }, 90_000);
  },
);
