import { expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VideoCard } from '@hvideo/protocol';
import { ApiUser, eventually } from '../packages/server/test/support/api.ts';
import { startServer } from '../packages/server/test/support/server.ts';
import { chromiumPath, expectPicture, openBrowser, phone } from './browser.ts';

const clips = 2;

test.skipIf(!chromiumPath())(
  'a page that was opened before there was anything plays the first clip, and finds the next at the end',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hvideo-e2e-'));
    try {
      await using browser = await openBrowser({ viewport: phone, locale: 'zh-CN', colorScheme: 'dark' });
      const page = await browser.newPage();
      await using server = await startServer(join(folder, 'data'), { args: ['--demo', String(clips)] });
      await page.goto(server.url);
      await page.getByText('还没有人发布视频').waitFor();
      await expectPicture(page);

      const latest = () => new ApiUser(server.url).call<{ items: VideoCard[] }>('GET', '/feed/latest');
      const { body } = await eventually(latest, (answer) => answer.body.items.length === clips, 90_000);
      await page.keyboard.press('ArrowDown');
      await page.getByRole('button', { name: '回到开头' }).click();
      await page
        .getByText(body.items[0]?.title ?? '')
        .first()
        .waitFor();
      await expectPicture(page);
      expect(await page.getByRole('article').count()).toBeGreaterThan(1);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  170_000,
);
