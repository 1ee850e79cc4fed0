import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiUser, passwordOf } from '../packages/server/test/support/api.ts';
import { type RunningServer, startServer } from '../packages/server/test/support/server.ts';
import { en } from '../packages/web/src/i18n/en/index.ts';
import { zh } from '../packages/web/src/i18n/zh/index.ts';
import { chromiumPath, desktop, openBrowser, phone, seriousFaults } from './browser.ts';

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-e2e-'));
  server = await startServer(join(folder, 'data'), { env: { HVIDEO_LIMITS: 'false' } });
  await new ApiUser(server.url).join('chief', '/instance/setup');
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(chromiumPath() === undefined)('the page of operations', () => {
  test.each([
    ['zh-CN', 'dark', phone, zh as typeof en],
    ['en-US', 'light', desktop, en],
  ] as const)(
    'shows an admin how the server is doing (%s, %s)',
    async (locale, colorScheme, viewport, texts) => {
      await using browser = await openBrowser({ locale, colorScheme, viewport });
      const page = browser.pages()[0] ?? (await browser.newPage());
      await page.goto(`${server.url}/login?next=/operations`);
      await page.getByLabel(texts.account.login).fill('chief');
      await page.getByLabel(texts.account.password).fill(passwordOf('chief'));
      await page.getByLabel(texts.account.password).press('Enter');
      await page.getByRole('heading', { name: texts.operations.title }).waitFor();
      await page
        .getByRole('region', { name: texts.operations.feed })
        .getByText(texts.operations.feedState.leading)
        .waitFor();
      await page.getByText('video-page').first().waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect(width).toBeLessThanOrEqual(viewport.width);
    },
    60_000,
  );
});
