import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import type { Announcements, Follower } from '../../src/ports/announcements/port.ts';
import { testDatabase } from '../support/database.ts';
import { call, openParts, sharedParts } from '../support/video-stack.ts';

/** As with Redis: a node hears when it catches up, and that takes a moment. */
class HeardLater implements Announcements {
  readonly #inner: Announcements;
  #unheard: (() => void)[] = [];

  constructor(inner: Announcements) {
    this.#inner = inner;
  }

  follow(kind: string, { hear, reset }: Follower): void {
    this.#inner.follow(kind, {
      hear: (texts) => this.#unheard.push(() => hear(texts)),
      reset: () => {
        this.#unheard = [];
        return reset();
      },
    });
  }

  announce: Announcements['announce'] = (records, options) => this.#inner.announce(records, options);
  beginAnew: Announcements['beginAnew'] = (options) => this.#inner.beginAnew(options);

  async catchUp(options?: Parameters<Announcements['catchUp']>[0]): Promise<void> {
    await this.#inner.catchUp(options);
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (const hear of this.#unheard.splice(0)) hear();
  }
}

/** Two nodes whose caches never hear from each other: only what is announced can tell them. */
const opening = new AsyncDisposableStack();
let nodes: Awaited<ReturnType<typeof openParts>>[];
let author: string;
let viewer: string;
let videoId: string;

beforeAll(async () => {
  const { database } = opening.use(await testDatabase({ maxConnections: 12 }));
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-two-nodes-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const shared = sharedParts();
  nodes = [];
  for (let count = 0; count < 2; count++) {
    const options = {
      ...{ work: false, shared: { ...shared, bus: new MemoryBus() } },
      wrapAnnouncements: (inner: Announcements) => new HeardLater(inner),
    };
    nodes.push(opening.use(await openParts(database, folder, options)));
  }
}, 60_000);
afterAll(() => opening.disposeAsync());

beforeEach(async () => {
  const { graph } = nodes[0]!;
  author = await graph.person();
  viewer = await graph.person();
  videoId = await publish();
});

async function publish(): Promise<string> {
  const { db, ids } = nodes[0]!;
  const id = ids.next();
  await db.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height)
    values (${id}, ${author}, '', '', '{}', 'public', 'ready', ${id}, 1000, 360, 640)`;
  await db.sql`update account_counts set videos = videos + 1 where account_id = ${author}`;
  return id;
}

const page = async (node: number, as: string | undefined, id = videoId) =>
  await call(nodes[node]!, as, 'GET', `/api/v1/videos/${id}`);

/** Until all of it is in the process. */
async function heat(node: number, as: string | undefined): Promise<void> {
  for (let at = 0; at < 80; at++) expect((await page(node, as)).status).toBe(200);
}

const show = async (visibility: string) => {
  const answer = await call(nodes[0]!, author, 'PATCH', `/api/v1/videos/${videoId}`, { visibility });
  expect(answer.status).toBe(200);
};

test('a video that becomes private is gone from the other node with the next request, and comes back so', async () => {
  for (const as of [undefined, viewer]) {
    await heat(1, as);
    await show('private');
    expect((await page(1, as)).status).toBe(404);
    await show('public');
    expect((await page(1, as)).status).toBe(200);
  }
  await heat(1, viewer);
  await show('followers');
  expect((await page(1, viewer)).status).toBe(404);
});

test('and from the videos beside another', async () => {
  const other = await publish();
  const beside = async () => (await page(1, viewer, other)).body.related.map(({ id }: { id: string }) => id);
  for (let at = 0; at < 80; at++) expect(await beside()).toContain(videoId);
  await show('private');
  expect(await beside()).not.toContain(videoId);
});

test('whoever is blocked does not see the page on the other node with the next request', async () => {
  await heat(1, viewer);
  await nodes[0]!.graph.block(author, viewer);
  expect((await page(1, viewer)).status).toBe(404);
  await nodes[0]!.graph.unblock(author, viewer);
  expect((await page(1, viewer)).status).toBe(200);
});

test('a follow is seen on the other node with the next request', async () => {
  await show('followers');
  await nodes[0]!.graph.follow(viewer, author);
  await heat(1, viewer);
  await nodes[0]!.graph.unfollow(viewer, author);
  expect((await page(1, viewer)).status).toBe(404);
});
