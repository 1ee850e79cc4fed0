// Draws the PNG icons of the installable app from the mark: `node packages/web/build/icons.mjs [CHROMIUM]`.
// Run by hand when the mark changes; its results are committed.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'public/icons');
const ink = '#17131c';

/** `inset`: how much of the edge stays empty; a maskable icon may lose a fifth of it on each side. */
const icon = (
  size,
  inset,
  radius,
) => `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"
  viewBox="0 0 64 64"><rect width="64" height="64" rx="${radius}" fill="${ink}"/>
  <g transform="translate(32 32) scale(${1 - inset}) translate(-32 -32)">
  <g fill="#faf6f0"><rect x="14" y="13" width="9" height="38" rx="4.5"/><rect x="41" y="13" width="9" height="38" rx="4.5"/></g>
  <path d="M26.5 23.6c0-2.2 2.4-3.6 4.3-2.5l13.6 8.4c1.8 1.1 1.8 3.8 0 5L30.8 42.9c-1.9 1.2-4.3-.2-4.3-2.5z" fill="#ff6a35" stroke="${ink}" stroke-width="3"/></g></svg>`;

const icons = {
  'icon-192.png': icon(192, 0, 15),
  'icon-512.png': icon(512, 0, 15),
  'maskable-512.png': icon(512, 0.22, 0),
  'apple-touch-icon.png': icon(180, 0.08, 0),
};

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: argv[2] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const page = await browser.newPage();
for (const [name, svg] of Object.entries(icons)) {
  await page.setContent(`<style>body{margin:0;background:transparent}svg{display:block}</style>${svg}`);
  await page.locator('svg').screenshot({ path: join(folder, name), omitBackground: true });
}
await browser.close();
