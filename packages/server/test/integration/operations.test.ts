import { expect, test } from 'bun:test';
import type { OperationsReport } from '@hvideo/protocol';
import { ApiUser } from '../support/api.ts';
import { runApplication } from '../support/application.ts';
import { eventually } from '../support/eventually.ts';

test('admins see how the server is doing; nobody else does', async () => {
  await using t = await runApplication();
  const admin = await new ApiUser(t.url).join('chief', '/instance/setup');
  const lin = await new ApiUser(t.url).join('lin_1');
  const report = () => admin.call<OperationsReport>('GET', '/operations');
  expect((await lin.call('GET', '/operations')).status).toBe(403);
  expect((await new ApiUser(t.url).call('GET', '/operations')).status).toBe(401);

  const id = '1000001';
  await t.db.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${id}, ${admin.id}, '', '', '{}', 'public', 'ready', ${id}, 1000, 360, 640)`;
  await t.features.exists.refresh();
  // The change feed has told of the new video, so that nothing invalidates it below.
  await eventually(async () => {
    const left = await t.db.sql`select 1 from change_log limit 1`;
    return left.length === 0 && t.features.changes.status().handledRows > 0;
  });
  t.features.exists.noteRows([`video:id=${id}`]);
  for (let at = 0; at < 60; at += 1) expect((await lin.call('GET', `/videos/${id}`)).status).toBe(200);
  expect((await lin.call('GET', '/videos/1000002')).status).toBe(404);
  const found = await eventually(async () => {
    const { body } = await report();
    return body.changeFeed.state === 'leading' && body.changeFeed.handledRows > 0 ? body : undefined;
  });
  const pages = found.caches.find(({ name }) => name === 'video-page');
  expect(pages).toMatchObject({ loads: 1, loadFailures: 0, staleServes: 0, leasesGranted: 1 });
  expect(pages?.level1Hits).toBeGreaterThan(0);
  // A page that turns out not to be ready as a text looks a second time.
  expect(pages?.reads).toBeGreaterThanOrEqual(60);
  expect(pages?.reads).toBeLessThan(70);
  expect(found.hotKeys.map(({ key }) => key)).toContain(`video-page@1:${id}`);
  expect(found).toMatchObject({
    store: { connected: true, breaker: 'closed', failures: 0, missedRows: 0 },
    level1: { trusted: true },
    existence: { ready: true },
    changeFeed: { lastError: null },
  });
  const metrics = await (await fetch(`${t.url}/metrics`)).text();
  expect(metrics).toContain('hvideo_http_request');
}, 60_000);
