import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import type { MediaStore } from './port.ts';

export interface MediaStoreFactory {
  readonly store: MediaStore;
  /** A store over the same objects, as a process started after a kill would open it. */
  reopen(): Promise<MediaStore>;
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** A source that hands out `chunks`, then ends, breaks with `error`, or hangs. */
export function sourceOf(chunks: readonly Uint8Array[], end: 'close' | 'hang' | Error = 'close') {
  let next = 0;
  let cancelled: unknown;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[next++];
        if (chunk) return controller.enqueue(chunk);
        if (end === 'close') return controller.close();
        if (end === 'hang') return new Promise(() => {});
        controller.error(end);
      },
      cancel(reason) {
        cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelReason: () => cancelled };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'no error';
}

/** Every adapter of MediaStore passes this, with its production settings. */
export function mediaStoreContract(name: string, factory: () => Promise<MediaStoreFactory>): void {
  describe(`MediaStore contract: ${name}`, () => {
    let made: MediaStoreFactory;
    let store: MediaStore;
    let folder: string;
    const maxBytes = 1 << 20;
    const textOf = async (key: string) => await (await store.get(key)).text();
    const keysOf = async (prefix: string) => {
      const keys: string[] = [];
      for await (const object of store.list(prefix)) keys.push(object.key);
      return keys.sort();
    };

    beforeAll(async () => {
      made = await factory();
      store = made.store;
      folder = await mkdtemp(join(tmpdir(), 'hvideo-contract-'));
    });
    afterAll(async () => {
      await made.close();
      await rm(folder, { recursive: true });
    });

    test('put takes bytes, blobs and streams, and replaces the whole object', async () => {
      await store.put('put/a', bytes('one'));
      expect(await textOf('put/a')).toBe('one');
      await store.put('put/a', new Blob(['a longer text']));
      expect(await textOf('put/a')).toBe('a longer text');
      await store.put('put/a', sourceOf([bytes('x'), bytes('yz')]).stream);
      expect(await textOf('put/a')).toBe('xyz');
      expect((await store.stat('put/a'))?.size).toBe(3);
    });

    test('a put that breaks off leaves the old object, or none', async () => {
      await store.put('broken/old', bytes('old'));
      const error = new Error('the network went away');
      for (const key of ['broken/old', 'broken/new']) {
        const put = store.put(key, sourceOf([bytes('half')], error).stream);
        expect(await put.catch((thrown: unknown) => thrown)).toBe(error);
      }
      expect(await textOf('broken/old')).toBe('old');
      expect(await store.stat('broken/new')).toBeUndefined();
      expect(await keysOf('broken')).toEqual(['broken/old']);
    });

    test('a put that is aborted cancels its source and leaves nothing', async () => {
      const abort = new AbortController();
      const source = sourceOf([bytes('half')], 'hang');
      const put = store.put('aborted', source.stream, { signal: abort.signal });
      const reason = new Error('enough');
      abort.abort(reason);
      expect(await put.catch((thrown: unknown) => thrown)).toBe(reason);
      expect(source.cancelReason()).toBe(reason);
      expect(await store.stat('aborted')).toBeUndefined();
    });

    test('the etag stays with the content and changes with it, even for equal sizes in the same instant', async () => {
      const etags = new Set<string>();
      for (let i = 0; i < 30; i++) {
        await store.put('etag', bytes(String(i % 10)));
        const first = await store.stat('etag');
        expect((await store.stat('etag'))?.etag).toBe(first!.etag);
        expect(first!.etag).toMatch(/^"[^"]+"$/);
        etags.add(first!.etag);
      }
      expect(etags.size).toBe(30);
    });

    test('get answers ranges, and not-found for what is not there', async () => {
      await store.put('range', bytes('0123456789'));
      expect(await (await store.get('range', { start: 2, end: 5 })).text()).toBe('234');
      expect(await (await store.get('range', { start: 8, end: 100 })).text()).toBe('89');
      expect((await store.get('range', { start: 3, end: 3 })).size).toBe(0);
      expect(await codeOf(store.get('missing'))).toBe('not-found');
      expect(await codeOf(store.localFile('missing'))).toBe('not-found');
    });

    test('append goes on at the exact size only', async () => {
      await store.create('append/a');
      expect(await store.append('append/a', 0, sourceOf([bytes('abc')]).stream, { maxBytes })).toEqual({
        size: 3,
      });
      for (const offset of [0, 2, 4]) {
        const append = store.append('append/a', offset, sourceOf([bytes('x')]).stream, { maxBytes });
        expect(await codeOf(append)).toBe('upload-offset-conflict');
      }
      expect(await store.append('append/a', 3, sourceOf([bytes('de')]).stream, { maxBytes })).toEqual({
        size: 5,
      });
      expect(await textOf('append/a')).toBe('abcde');
      const missing = store.append('append/missing', 0, sourceOf([]).stream, { maxBytes });
      expect(await codeOf(missing)).toBe('not-found');
    });

    test('append keeps what arrived when the source breaks off or is aborted', async () => {
      await store.create('append/b');
      const error = new Error('the network went away');
      const append = store.append('append/b', 0, sourceOf([bytes('abc')], error).stream, { maxBytes });
      expect(await append.catch((thrown: unknown) => thrown)).toBe(error);
      expect((await store.stat('append/b'))?.size).toBe(3);

      const abort = new AbortController();
      const source = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            controller.enqueue(bytes('de'));
            return new Promise(() => setTimeout(() => abort.abort(error)));
          },
        },
        { highWaterMark: 0 },
      );
      const second = store.append('append/b', 3, source, { maxBytes, signal: abort.signal });
      expect(await second.catch((thrown: unknown) => thrown)).toBe(error);
      expect(await textOf('append/b')).toBe('abcde');
    });

    test('append stops at maxBytes and refuses a second writer', async () => {
      await store.create('append/c');
      const tooLong = store.append('append/c', 0, sourceOf([bytes('abc'), bytes('def')]).stream, {
        maxBytes: 5,
      });
      expect(await codeOf(tooLong)).toBe('upload-too-large');
      expect(await textOf('append/c')).toBe('abcde');

      const abort = new AbortController();
      const first = store.append('append/c', 5, sourceOf([], 'hang').stream, {
        maxBytes,
        signal: abort.signal,
      });
      const second = store.append('append/c', 5, sourceOf([]).stream, { maxBytes });
      expect(await codeOf(second)).toBe('upload-locked');
      abort.abort(new Error('enough'));
      await expect(first).rejects.toThrow('enough');
      expect(await store.append('append/c', 5, sourceOf([]).stream, { maxBytes })).toEqual({ size: 5 });
    });

    test('importFile moves the file in', async () => {
      const path = join(folder, 'import');
      await Bun.write(path, 'imported');
      await store.importFile('import/a', path);
      expect(await textOf('import/a')).toBe('imported');
      expect(await Bun.file(path).exists()).toBe(false);
      expect(await codeOf(store.importFile('import/b', path))).toBe('not-found');
    });

    test('localFile gives a path with the bytes', async () => {
      await store.put('local', bytes('here'));
      await using file = await store.localFile('local');
      expect(await Bun.file(file.path).text()).toBe('here');
    });

    test('delete and deletePrefix are idempotent and reach nothing else', async () => {
      for (const key of ['d/1/a', 'd/1/b/c', 'd/10/a', 'd/2']) await store.put(key, bytes(key));
      await store.delete('d/2');
      await store.delete('d/2');
      await store.deletePrefix('d/1');
      await store.deletePrefix('d/1/');
      expect(await keysOf('d')).toEqual(['d/10/a']);
      await store.deletePrefix('d/10/');
      expect(await keysOf('d/')).toEqual([]);
    });

    test('list gives keys with size and etag', async () => {
      await store.put('list/a/1', bytes('1'));
      await store.put('list/b', bytes('22'));
      await store.put('listing', bytes('3'));
      expect(await keysOf('list')).toEqual(['list/a/1', 'list/b']);
      for await (const { key, ...object } of store.list('list'))
        expect(await store.stat(key)).toEqual(object);
      expect(await keysOf('')).toContain('listing');
    });

    test('a key that could leave the store is refused', async () => {
      const bad = [
        '',
        '/a',
        '../a',
        'a/../b',
        'a/..',
        'a//b',
        'a/',
        './a',
        'a/./b',
        'A',
        'a b',
        'a\0b',
        'a\\b',
        'é',
      ];
      for (const key of [...bad, 'a'.repeat(201)]) {
        expect(store.put(key, bytes('x'))).rejects.toBeInstanceOf(TypeError);
        expect(store.get(key)).rejects.toBeInstanceOf(TypeError);
        expect(store.delete(key)).rejects.toBeInstanceOf(TypeError);
      }
      await expect(store.deletePrefix('')).rejects.toBeInstanceOf(TypeError);
      await expect(store.deletePrefix('a/..')).rejects.toBeInstanceOf(TypeError);
    });

    test('neighbours that come and go in one folder do not disturb each other', async () => {
      await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          for (let round = 0; round < 10; round++) {
            await store.put(`busy/x/${i}`, bytes(`${i}`));
            expect(await textOf(`busy/x/${i}`)).toBe(`${i}`);
            await store.delete(`busy/x/${i}`);
          }
        }),
      );
      expect(await keysOf('busy')).toEqual([]);
    });

    test('what was acknowledged is there for the next process', async () => {
      await store.put('kept/put', bytes('put'));
      await store.create('kept/append');
      await store.append('kept/append', 0, sourceOf([bytes('append')]).stream, { maxBytes });
      const next = await made.reopen();
      expect(await (await next.get('kept/put')).text()).toBe('put');
      expect(await (await next.get('kept/append')).text()).toBe('append');
    });
  });
}
