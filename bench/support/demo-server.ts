import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VideoCard } from '@hvideo/protocol';
import { ApiUser, eventually } from '../../packages/server/test/support/api.ts';
import { startServer } from '../../packages/server/test/support/server.ts';

const clips = 3;

export interface DemoServer extends AsyncDisposable {
  readonly url: string;
  /** Where the benchmark may keep files. */
  readonly folder: string;
  /** Somebody who follows the authors of all clips. */
  readonly viewer: ApiUser;
  readonly cards: readonly VideoCard[];
}

/** A server as people run it, on a few clips of the demo, without limits of rate. */
export async function openDemoServer(): Promise<DemoServer> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-bench-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const server = opening.use(
    await startServer(join(folder, 'data'), {
      args: ['--demo', String(clips)],
      env: { HVIDEO_LIMITS: 'false', HVIDEO_ACCESS_TOKEN_SECONDS: '3600' },
    }),
  );
  const viewer = await new ApiUser(server.url).join('viewer');
  const latest = () => viewer.call<{ items: VideoCard[] }>('GET', '/feed/latest');
  const isWhole = ({ body }: Awaited<ReturnType<typeof latest>>) =>
    body.items.length === clips && body.items.every(({ status }) => status === 'ready');
  const { body } = await eventually(latest, isWhole, 120_000);
  for (const { author } of body.items) await viewer.call('PUT', `/users/${author.id}/follow`);
  const opened = opening.move();
  return {
    ...{ url: server.url, folder, viewer, cards: body.items },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
