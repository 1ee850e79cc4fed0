import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OwnVideo, VideoDetail } from '@hvideo/protocol';
import { ApiUser, eventually } from '../packages/server/test/support/api.ts';
import { makeClip } from '../packages/server/test/support/media-samples.ts';
import { type RunningServer, startServer } from '../packages/server/test/support/server.ts';
import { chromiumPath, desktop, expectPicture, openBrowser, phone, seriousFaults } from './browser.ts';

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-e2e-'));
  server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
  const author = await new ApiUser(server.url).join('author', '/instance/setup');
  for (const [index, title] of ['Clip one', '第二个视频'].entries()) {
    const path = await makeClip({ path: join(folder, `${index}.mp4`), seconds: 6, width: 360, height: 640 });
    const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
    const uploadId = await author.beginUpload(bytes.length);
    await author.append(uploadId, bytes);
    const made = await author.call<OwnVideo>('POST', '/videos', { body: { uploadId, title } });
    await eventually(
      async () => (await author.call<VideoDetail>('GET', `/videos/${made.body.id}`)).body.video.status,
      (status) => status === 'ready',
    );
  }
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(chromiumPath() === undefined)('watching', () => {
  test.each([
    ['on a phone in Chinese and dark', { viewport: phone, locale: 'zh-CN', colorScheme: 'dark' }],
    ['on a desktop in English and light', { viewport: desktop, locale: 'en-US', colorScheme: 'light' }],
  ] as const)('a visitor’s first clip plays by itself, %s', async (_name, device) => {
    await using browser = await openBrowser(device);
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(server.url);
    await expectPicture(page);
    expect(await page.textContent('body')).toContain('第二个视频');
    expect(await seriousFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('the arrow keys go to the next clip', async () => {
    await using browser = await openBrowser({ viewport: desktop, locale: 'en-US', colorScheme: 'dark' });
    const page = await browser.newPage();
    await page.goto(server.url);
    await expectPicture(page);
    await page.keyboard.press('ArrowDown');
    await page.getByText('Clip one').filter({ visible: true }).first().waitFor({ state: 'visible' });
  });
});
