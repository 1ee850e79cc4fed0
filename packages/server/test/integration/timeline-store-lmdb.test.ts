import { afterAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbTimelineStore, type LmdbTimelineStoreOptions } from '../../src/adapters/lmdb/timeline-store.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { timelineStoreContract } from '../../src/ports/timeline-store/contract.ts';
import type { Shelf, TimelineStore } from '../../src/ports/timeline-store/port.ts';

const tiny = { maxHeaders: 1, maxHeads: 1, headEntries: 4 };
for (const [name, memory] of [
  ['LMDB', {}],
  ['LMDB with hardly any memory', tiny],
] as const)
  timelineStoreContract(name, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hvideo-shelves-'));
    let passedMs = 0;
    let bootId = 'one';
    const idleMs = 3_600_000;
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + passedMs };
    const options = {
      folder,
      origin: 'here',
      clock,
      random: systemRandom,
      idleMs,
      readBootId: async () => bootId,
      ...memory,
    };
    let inner = await LmdbTimelineStore.open(options);
    // One process holds the file: the other node is the same. After a crash there is another object behind it.
    const store = new Proxy<TimelineStore>(inner, {
      get: (_, name) => {
        const value: unknown = Reflect.get(inner, name, inner);
        return typeof value === 'function' ? value.bind(inner) : value;
      },
    });
    return {
      ...{ store, second: store, idleMs },
      elapse: async (ms) => {
        passedMs += ms;
        await inner.sweep();
      },
      loseWrites: {
        save: async () => {},
        restart: async () => {
          // The mark says that it was not closed, as after a crash.
          const mark = await Bun.file(join(folder, 'mark.json')).text();
          await inner[Symbol.asyncDispose]();
          await Bun.write(join(folder, 'mark.json'), mark);
          bootId = 'two';
          inner = await LmdbTimelineStore.open(options);
        },
      },
      close: async () => {
        await inner[Symbol.asyncDispose]();
        await rm(folder, { recursive: true, force: true });
      },
    };
  });

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-shelves-'));
  folders.push(folder);
  return folder;
}

const open = (folder: string, more: Partial<LmdbTimelineStoreOptions> = {}) =>
  LmdbTimelineStore.open({ folder, origin: 'here', clock: systemClock, random: systemRandom, ...more });
const entry = (key: number) => ({ key: String(key), authorId: '1', videoId: '2' });
const inbox = (id: number): Shelf => ({ kind: 'inbox', ownerId: String(id) });
const pageOf = async (store: TimelineStore, shelf: Shelf) =>
  (await store.read([{ shelf, limit: 2_000 }]))[0]!;

async function ready(store: TimelineStore, shelf: Shelf, capacity = 1_000): Promise<void> {
  const token = await store.begin(shelf, capacity);
  await store.merge(shelf, { entries: [], completeDownTo: '0', token, isLast: true });
}

/** What is on file after pushes and an end that was no clean one. */
async function abandoned(bootId: string): Promise<string> {
  const folder = await newFolder();
  const store = await open(folder, { readBootId: async () => bootId });
  await ready(store, inbox(1));
  await store.push([{ shelf: inbox(1), entry: entry(1) }]);
  const mark = await Bun.file(join(folder, 'mark.json')).text();
  await store[Symbol.asyncDispose]();
  await Bun.write(join(folder, 'mark.json'), mark);
  return folder;
}

test('kill -9 in the middle of pushes loses none that was acknowledged', async () => {
  const folder = await newFolder();
  const path = join(import.meta.dir, '..', 'support', 'timeline-process.ts');
  let before = 0;
  for (let turn = 0; turn < 3; turn++) {
    const child = Bun.spawn([process.execPath, path, folder], { stdout: 'pipe', stderr: 'inherit' });
    let text = '';
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (text.length > 1_000 * (turn + 1)) child.kill('SIGKILL');
    }
    await child.exited;
    expect(child.signalCode).toBe('SIGKILL');
    const acknowledged = text.split('\n').slice(0, -1);
    expect(acknowledged.length).toBeGreaterThan(100);
    await using store = await open(folder);
    for (const shelf of [1, 2, 3].map(inbox)) {
      const { state, floor, entries } = await pageOf(store, shelf);
      expect(state).toBe('ready');
      const keys = new Set(entries.map(({ key }) => key));
      expect(acknowledged.filter((key) => Number(key) >= Number(floor) && !keys.has(key))).toEqual([]);
    }
    before += acknowledged.length;
  }
  expect(before).toBeGreaterThan(300);
}, 30_000);

test('a clean end keeps everything, whatever kernel comes next', async () => {
  const folder = await newFolder();
  const first = await open(folder, { readBootId: async () => 'one' });
  await ready(first, inbox(1), 100);
  await first.push([{ shelf: inbox(1), entry: entry(5) }]);
  const { generation } = await first.stats();
  await first[Symbol.asyncDispose]();
  await expect(first.push([{ shelf: inbox(1), entry: entry(6) }])).rejects.toMatchObject({
    code: 'shutting-down',
  });
  await using second = await open(folder, { readBootId: async () => 'two' });
  expect(await pageOf(second, inbox(1))).toMatchObject({ state: 'ready', entries: [entry(5)] });
  expect((await second.stats()).generation).toBe(generation);
});

test('after an unclean end only the same kernel is believed, and none that is not known', async () => {
  for (const [before, after, state] of [
    ['one', 'one', 'ready'],
    ['one', 'two', 'cold'],
    ['', '', 'cold'],
  ] as const) {
    const folder = await abandoned(before);
    await using store = await open(folder, { readBootId: async () => after });
    expect((await pageOf(store, inbox(1))).state).toBe(state);
  }
});

test('another database behind it, or a torn mark, makes everything cold', async () => {
  const [restored, torn] = [await abandoned('one'), await abandoned('one')];
  await Bun.write(join(torn, 'mark.json'), '{"generation":');
  for (const [folder, origin] of [
    [restored, 'there'],
    [torn, 'here'],
  ] as const) {
    await using store = await open(folder, { origin, readBootId: async () => 'one' });
    expect((await pageOf(store, inbox(1))).state).toBe('cold');
    expect(await store.stats()).toMatchObject({ shelves: 0, entries: 0 });
  }
});

test('a full file refuses what adds to it, keeps what it has, and takes more when something was dropped', async () => {
  const folder = await newFolder();
  await using store = await open(folder, { maxBytes: 1_000_000, maxHeaders: 10, maxHeads: 10 });
  const many = Array.from({ length: 200 }, (_, at) => inbox(at + 1));
  for (const shelf of many) await ready(store, shelf);
  let pushed = 0;
  const push = () => store.push(many.map((shelf) => ({ shelf, entry: entry(pushed + 1) })));
  await expect(
    (async () => {
      for (; pushed < 1_000; pushed++) await push();
    })(),
  ).rejects.toMatchObject({ code: 'no-space' });
  for (const shelf of [many[0]!, many[199]!])
    expect((await pageOf(store, shelf)).entries.length).toBeGreaterThanOrEqual(pushed);
  await expect(store.begin(inbox(999), 10)).rejects.toMatchObject({ code: 'no-space' });
  await store.drop(many.slice(0, 100));
  await store.push([{ shelf: many[199]!, entry: entry(5_000) }]);
  expect((await pageOf(store, many[199]!)).entries[0]).toEqual(entry(5_000));
  expect((await store.stats()).bytes).toBeLessThan(1_500_000);
});

test('a sweep drops idle shelves in turns, and stops when it is told to', async () => {
  const folder = await newFolder();
  let nowMs = 0;
  const clock = { ...systemClock, nowMs: () => nowMs };
  await using store = await open(folder, { clock, idleMs: 1_000, maxHeaders: 20 });
  for (let id = 1; id <= 700; id++) await ready(store, inbox(id));
  nowMs = 900;
  await store.read(Array.from({ length: 100 }, (_, at) => ({ shelf: inbox(7 * at + 1), limit: 1 })));
  nowMs = 1_500;
  const reason = new Error('enough');
  await expect(store.sweep(AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(await store.sweep()).toBe(600);
  expect(await store.stats()).toMatchObject({ shelves: 100 });
  expect((await pageOf(store, inbox(8))).state).toBe('ready');
});
