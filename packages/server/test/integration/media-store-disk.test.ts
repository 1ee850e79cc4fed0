import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toStoreError, writeAll } from '../../src/adapters/disk/files.ts';
import { openDiskMediaStore } from '../../src/adapters/disk/media-store.ts';
import { mediaStoreContract, sourceOf } from '../../src/ports/media-store/contract.ts';

mediaStoreContract('directory', async () => {
  const root = await mkdtemp(join(tmpdir(), 'hvideo-disk-'));
  return {
    store: await openDiskMediaStore({ root }),
    reopen: () => openDiskMediaStore({ root }),
    close: () => rm(root, { recursive: true }),
  };
});

describe('directory adapter', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'hvideo-disk-'));
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  test('half-written objects of a killed process are thrown away at the start', async () => {
    await openDiskMediaStore({ root });
    await Bun.write(join(root, 'temporary', 'left-over'), 'half');
    await openDiskMediaStore({ root });
    expect(await readdir(join(root, 'temporary'))).toEqual([]);
  });

  test('empty folders go with their last object', async () => {
    const store = await openDiskMediaStore({ root });
    await store.put('one/two/three', new Uint8Array(1));
    await store.put('one/four', new Uint8Array(1));
    await store.delete('one/two/three');
    expect(await readdir(join(root, 'objects', 'one'))).toEqual(['four']);
    await store.deletePrefix('one');
    expect(await readdir(join(root, 'objects'))).toEqual([]);
    expect(await readdir(join(root, 'temporary'))).toEqual([]);
  });

  test.if(process.platform === 'linux')('a full disk is no-space', async () => {
    // /dev/full answers every write as a full disk does.
    await using file = await open('/dev/full', 'r+');
    const failed = await writeAll(file, 0, new Uint8Array(10), undefined).catch((error: unknown) => error);
    expect(toStoreError(failed, 'key')).toMatchObject({ code: 'no-space', status: 507 });
  });

  test('memory stays constant while a large upload is appended', async () => {
    const store = await openDiskMediaStore({ root });
    await store.create('large');
    const chunk = new Uint8Array(1 << 20);
    const chunks = Array.from({ length: 200 }, () => chunk);
    Bun.gc(true);
    const beforeBytes = process.memoryUsage().rss;
    await store.append('large', 0, sourceOf(chunks).stream, { maxBytes: 1 << 30 });
    expect(process.memoryUsage().rss - beforeBytes).toBeLessThan(60 << 20);
    expect((await store.stat('large'))?.size).toBe(200 << 20);
    await store.delete('large');
  });
});
