import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { eventually } from '../packages/server/test/support/api.ts';

/** The browser for journeys; undefined where there is none, and the journeys are skipped then, visibly. */
export function chromiumPath(): string | undefined {
  const chosen = process.env['HVIDEO_TEST_CHROMIUM'];
  if (chosen) return existsSync(chosen) ? chosen : undefined;
  return Bun.which('chromium') ?? Bun.which('google-chrome') ?? undefined;
}

export interface Device {
  readonly viewport: { readonly width: number; readonly height: number };
  readonly locale: 'en-US' | 'zh-CN';
  readonly colorScheme: 'light' | 'dark';
  readonly hasTouch?: boolean;
  readonly isMobile?: boolean;
}

export const phone = { width: 390, height: 844 };
export const desktop = { width: 1440, height: 900 };

/** A browser of its own for each person, so that nothing is shared between them. */
export async function openBrowser(device: Device): Promise<BrowserContext & AsyncDisposable> {
  const profile = await mkdtemp(join(tmpdir(), 'hvideo-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath() ?? '',
    args: [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
    ...device,
  });
  context.setDefaultTimeout(20_000);
  return Object.assign(context, {
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  });
}

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Serious and critical faults that axe finds on the page as it is now. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // The page's content security policy allows no inline script: the source is evaluated by the debugger instead.
  await page.evaluate(await Bun.file(axeSource).text());
  const found = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })');
  const { violations } = found as { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
}

/** The largest position of any video on the page: it grows only while a picture moves. */
export const playedSeconds = (page: Page) =>
  page.evaluate<number>(
    'Math.max(0, ...[...document.querySelectorAll("video")].map((video) => video.currentTime))',
  );

/** Waits until a picture on the page moves by itself. */
export async function expectPicture(page: Page): Promise<void> {
  const first = await eventually(
    () => playedSeconds(page),
    (seconds) => seconds > 0.2,
    20_000,
  );
  // A short clip may start over in between: any other position will do.
  await eventually(
    () => playedSeconds(page),
    (seconds) => Math.abs(seconds - first) > 0.5,
    10_000,
  );
}

const mostTabs = 80;

/** Presses Tab until the focus is on what has this accessible name; fails when the keyboard cannot get there. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < mostTabs; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>(
      '(document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim()',
    );
    if (focused === name) return;
    passed.push(focused.slice(0, 40));
  }
  throw new Error(`Tab does not reach "${name}"; it went by ${[...new Set(passed)].join(', ')}`);
}
