import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import fc from 'fast-check';
import { Upload } from 'tus-js-client';
import { eventually } from '../support/eventually.ts';
import { call, storedKeys, tusHeaders, upload, type VideoStack, videoStack } from '../support/video-stack.ts';

let stack: VideoStack;
let owner: string;
let stranger: string;

beforeAll(async () => {
  const uploads = {
    maxBytes: 5_000_000,
    accountMaxBytes: 20_000_000,
    maxUnfinished: 1000,
    abandonedAfterMs: 60,
  };
  stack = await videoStack({ work: false, uploads });
  owner = await stack.graph.person();
  stranger = await stack.graph.person();
});
afterAll(() => stack[Symbol.asyncDispose]());

const path = '/api/v1/uploads';
const octets = { ...tusHeaders, 'content-type': 'application/offset+octet-stream' };

async function begin(size: number, as = owner): Promise<string> {
  const answer = await call(stack, as, 'POST', path, undefined, {
    ...tusHeaders,
    'upload-length': String(size),
  });
  expect(answer.status).toBe(201);
  return answer.headers.get('location') ?? '';
}

async function patch(location: string, offset: number, bytes: Uint8Array, headers = {}, as = owner) {
  const response = await fetch(stack.url + location, {
    method: 'PATCH',
    headers: { ...octets, authorization: `Bearer ${as}`, 'upload-offset': String(offset), ...headers },
    body: bytes,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

async function offsetOf(location: string): Promise<number> {
  const answer = await call(stack, owner, 'HEAD', location, undefined, tusHeaders);
  expect(answer.status).toBe(200);
  return Number(answer.headers.get('upload-offset'));
}

/** As a client does it: asks until nobody writes. */
async function resumedAt(location: string): Promise<number> {
  return eventually(async () => {
    const answer = await call(stack, owner, 'HEAD', location, undefined, tusHeaders);
    expect([200, 423]).toContain(answer.status);
    return answer.status === 200 ? Number(answer.headers.get('upload-offset')) : undefined;
  });
}

const idOf = (location: string) => location.split('/').at(-1) ?? '';
const keyOf = (location: string) => `uploads/${idOf(location)}`;
const bytesOf = async (location: string) => (await stack.store.get(keyOf(location))).bytes();
const rowsOf = (location: string) => stack.db.sql`select state from upload where id = ${idOf(location)}`;

/** Sends the head and some bytes of a PATCH, then cuts or keeps the connection. */
async function partialPatch(location: string, offset: number, declared: number, sent: Uint8Array) {
  const { port, hostname } = new URL(stack.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  const head = [
    `PATCH ${location} HTTP/1.1`,
    `host: ${hostname}`,
    `authorization: Bearer ${owner}`,
    'tus-resumable: 1.0.0',
    'content-type: application/offset+octet-stream',
    `upload-offset: ${offset}`,
    `content-length: ${declared}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await new Promise<void>((resolve, reject) =>
    socket.write(sent, (error) => (error ? reject(error) : resolve())),
  );
  return socket;
}

describe('an unmodified tus-js-client', () => {
  const start = (bytes: Uint8Array, options = {}) => {
    const done = Promise.withResolvers<void>();
    const client = new Upload(Buffer.from(bytes), {
      endpoint: stack.url + path,
      headers: { authorization: `Bearer ${owner}` },
      metadata: { filename: 'Ein schöner Film.mp4', filetype: 'video/mp4' },
      retryDelays: [0, 20, 100, 200],
      onSuccess: () => done.resolve(),
      onError: (error) => done.reject(error),
      ...options,
    });
    client.start();
    return { client, done: done.promise };
  };
  const whole = new Uint8Array(300_000).map((_, index) => (index * 7) % 251);

  test('uploads in one request, in chunks, and with the creation', async () => {
    for (const options of [{}, { chunkSize: 70_001 }, { uploadDataDuringCreation: true }]) {
      const { client, done } = start(whole, options);
      await done;
      const location = new URL(client.url ?? '').pathname;
      expect(await bytesOf(location)).toEqual(whole);
      const [row] = await stack.db
        .sql`select state, filename, filetype from upload where id = ${idOf(location)}`;
      expect(row).toEqual({ state: 'complete', filename: 'Ein schöner Film.mp4', filetype: 'video/mp4' });
    }
  });

  test('pauses and goes on where it was', async () => {
    const paused = Promise.withResolvers<void>();
    const { client, done } = start(whole, {
      chunkSize: 50_000,
      onChunkComplete: (_size: number, accepted: number) => accepted === 100_000 && paused.resolve(),
    });
    await paused.promise;
    await client.abort();
    const location = new URL(client.url ?? '').pathname;
    expect(await eventually(async () => offsetOf(location).catch(() => undefined))).toBeGreaterThanOrEqual(
      100_000,
    );
    client.start();
    await done;
    expect(await bytesOf(location)).toEqual(whole);
  });

  test('terminates', async () => {
    const paused = Promise.withResolvers<void>();
    const { client } = start(whole, { chunkSize: 50_000, onChunkComplete: () => paused.resolve() });
    await paused.promise;
    await client.abort(true);
    const location = new URL(client.url ?? '').pathname;
    expect((await call(stack, owner, 'HEAD', location, undefined, tusHeaders)).status).toBe(404);
    expect(await stack.store.stat(keyOf(location))).toBeUndefined();
  });

  test('learns why a file is refused, and nothing is left of it', async () => {
    const { client, done } = start(Buffer.from('bad:media-no-video'));
    const error = await done.then(
      () => undefined,
      (thrown: { originalResponse?: { getStatus(): number; getBody(): string } }) => thrown,
    );
    expect(error?.originalResponse?.getStatus()).toBe(422);
    expect(JSON.parse(error?.originalResponse?.getBody() ?? '{}').code).toBe('media-no-video');
    const location = new URL(client.url ?? '').pathname;
    expect(await rowsOf(location)).toEqual([]);
    expect(await stack.store.stat(keyOf(location))).toBeUndefined();
  });
});

test('a connection cut after any byte goes on from there, whatever the cuts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 5000 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      async (bytes, cuts) => {
        const location = await begin(bytes.length);
        let at = 0;
        for (const cut of cuts) {
          const rest = bytes.subarray(at);
          // One byte less than all: the last one would end the upload.
          const sent = rest.subarray(0, Math.floor(cut * (rest.length - 1)));
          const socket = await partialPatch(location, at, rest.length, sent);
          socket.destroy();
          const most = at + sent.length;
          at = await resumedAt(location);
          expect(at).toBeLessThanOrEqual(most);
        }
        // The cut request may arrive after its successor has asked; a client then asks again.
        await eventually(async () => {
          at = await resumedAt(location);
          const { status } = await patch(location, at, bytes.subarray(at));
          expect([204, 409, 423]).toContain(status);
          return status === 204;
        });
        expect(await bytesOf(location)).toEqual(bytes);
      },
    ),
    { numRuns: 25 },
  );
}, 30_000);

describe('one writer at a time', () => {
  test('many at once: one writes, the others are told so', async () => {
    const bytes = new Uint8Array(400_000).fill(7);
    const location = await begin(bytes.length);
    const answers = await Promise.all(Array.from({ length: 8 }, () => patch(location, 0, bytes)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(statuses.every((status) => [204, 409, 423].includes(status))).toBe(true);
    expect(await bytesOf(location)).toEqual(bytes);
  });

  test('a live writer is not disturbed, a silent one is taken over from', async () => {
    const location = await begin(10);
    const socket = await partialPatch(location, 0, 10, Buffer.from('abc'));
    await eventually(async () => (await stack.store.stat(keyOf(location)))?.size === 3);
    expect(await eventually(async () => offsetOf(location).catch(() => undefined))).toBe(3);
    expect((await patch(location, 3, Buffer.from('defghij'))).status).toBe(204);
    expect(await bytesOf(location)).toEqual(new Uint8Array(Buffer.from('abcdefghij')));
    socket.destroy();
  });

  test('while the file is examined, nobody takes over', async () => {
    const reached = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    stack.fake.before = async () => {
      reached.resolve();
      await go.promise;
    };
    const location = await begin(4);
    const first = patch(location, 0, Buffer.from('film'));
    await reached.promise;
    stack.clock.aheadMs += 10_000;
    const second = await patch(location, 4, Buffer.from(''));
    expect(second.status).toBe(423);
    expect(second.headers.get('retry-after')).toBe('1');
    go.resolve();
    expect((await first).status).toBe(204);
    stack.fake.before = async () => {};
  });
});

describe('what is refused', () => {
  const code = (answer: { status: number; body: { code?: string } }) =>
    `${answer.status} ${answer.body.code}`;
  const create = (headers: Record<string, string>, as = owner) =>
    call(stack, as, 'POST', path, undefined, { ...tusHeaders, ...headers });

  test('headers that break the protocol', async () => {
    expect(code(await call(stack, owner, 'POST', path, undefined, { 'upload-length': '5' }))).toBe(
      '412 tus-version',
    );
    expect(code(await create({}))).toBe('400 invalid-request');
    expect(code(await create({ 'upload-length': '-1' }))).toBe('400 invalid-request');
    expect(code(await create({ 'upload-length': '1e3' }))).toBe('400 invalid-request');
    expect(code(await create({ 'upload-length': '5', 'upload-metadata': 'name $$$' }))).toBe(
      '400 invalid-request',
    );
    expect(code(await create({ 'upload-defer-length': '1' }))).toBe('400 tus-extension');
    expect(code(await create({ 'upload-length': '5', 'upload-concat': 'partial' }))).toBe(
      '400 tus-extension',
    );
    const location = await begin(5);
    expect(code(await patch(location, 0, Buffer.from('abcde'), { 'content-type': 'video/mp4' }))).toBe(
      '415 unsupported-media-type',
    );
    expect(code(await patch(location, 3, Buffer.from('de')))).toBe('409 upload-offset-conflict');
    expect(code(await call(stack, undefined, 'POST', path, undefined, tusHeaders))).toBe(
      '401 unauthenticated',
    );
  });

  test('sizes that are too large, none, or a lie', async () => {
    expect(code(await create({ 'upload-length': '5000001' }))).toBe('413 upload-too-large');
    expect(code(await create({ 'upload-length': '0' }))).toBe('422 media-unreadable');
    const location = await begin(3);
    expect(code(await patch(location, 0, Buffer.from('abcdef')))).toBe('413 upload-too-large');
    expect(await offsetOf(location)).toBe(0);
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('abcdef'));
        controller.close();
      },
    });
    const chunked = await fetch(stack.url + location, {
      method: 'PATCH',
      headers: { ...octets, authorization: `Bearer ${owner}`, 'upload-offset': '0' },
      body: stream,
    });
    expect(chunked.status).toBe(413);
    expect((await stack.store.stat(keyOf(location)))?.size).toBe(3);
  });

  test('more than an account may store, or have unfinished', async () => {
    const small = { accountMaxBytes: 100, maxUnfinished: 3 };
    await using other = await videoStack({ work: false, uploads: small });
    const person = await other.graph.person();
    const sizes = ['60', '41', '20', '20', '0001'];
    const answers = [];
    for (const size of sizes)
      answers.push(
        await call(other, person, 'POST', path, undefined, { ...tusHeaders, 'upload-length': size }),
      );
    expect(answers.map(({ status, body }) => body.code ?? status)).toEqual([
      201,
      'upload-quota',
      201,
      201,
      'too-many-uploads',
    ]);
    const race = await other.graph.person();
    const raced = await Promise.all(
      Array.from({ length: 6 }, () =>
        call(other, race, 'POST', path, undefined, { ...tusHeaders, 'upload-length': '40' }),
      ),
    );
    expect(raced.filter(({ status }) => status === 201)).toHaveLength(2);
  });

  test('another person’s upload is not there', async () => {
    const location = await begin(5);
    for (const method of ['HEAD', 'DELETE']) {
      expect((await call(stack, stranger, method, location, undefined, tusHeaders)).status).toBe(404);
    }
    expect(code(await patch(location, 0, Buffer.from('abcde'), {}, stranger))).toBe('404 not-found');
    const id = await upload(stack, owner, Buffer.from('mine'));
    const video = { uploadId: id, title: 'Mine' };
    expect(code(await call(stack, stranger, 'POST', '/api/v1/videos', video))).toBe('404 not-found');
  });

  test('every fault of a file, leaving neither row nor bytes', async () => {
    for (const fault of ['media-unreadable', 'media-truncated', 'media-too-long', 'media-dimensions']) {
      const bytes = Buffer.from(`bad:${fault}`);
      const location = await begin(bytes.length);
      expect(code(await patch(location, 0, bytes))).toBe(`422 ${fault}`);
      expect(await rowsOf(location)).toEqual([]);
      expect(await stack.store.stat(keyOf(location))).toBeUndefined();
    }
  });
});

test('checksums are checked before a byte is kept', async () => {
  const location = await begin(10);
  const sha1 = createHash('sha1').update('hello').digest('base64');
  const wrong = await patch(location, 0, Buffer.from('hullo'), { 'upload-checksum': `sha1 ${sha1}` });
  expect([wrong.status, wrong.body.code]).toEqual([460, 'upload-checksum-mismatch']);
  expect(await offsetOf(location)).toBe(0);
  expect((await patch(location, 0, Buffer.from('hello'), { 'upload-checksum': `sha1 ${sha1}` })).status).toBe(
    204,
  );
  const sha256 = createHash('sha256').update('world').digest('base64');
  const last = await patch(location, 5, Buffer.from('world'), { 'upload-checksum': `sha256 ${sha256}` });
  expect(last.status).toBe(204);
  const unknown = await patch(location, 10, Buffer.from(''), { 'upload-checksum': 'md5 AAAA' });
  expect(unknown.status).toBe(400);
});

test('OPTIONS says what the server can; the method may be overridden', async () => {
  const answer = await call(stack, undefined, 'OPTIONS', path);
  expect(answer.status).toBe(204);
  expect(answer.headers.get('tus-max-size')).toBe('5000000');
  expect(answer.headers.get('tus-extension')).toContain('checksum');
  const location = await begin(3);
  const response = await fetch(stack.url + location, {
    method: 'POST',
    headers: {
      ...octets,
      authorization: `Bearer ${owner}`,
      'upload-offset': '0',
      'x-http-method-override': 'PATCH',
    },
    body: 'abc',
  });
  expect(response.status).toBe(204);
  const deletion = { ...tusHeaders, 'x-http-method-override': 'DELETE' };
  expect((await call(stack, owner, 'POST', location, undefined, deletion)).status).toBe(204);
  expect(await rowsOf(location)).toEqual([]);
});

test('a process that died between the last byte and the examination: publishing examines', async () => {
  for (const [text, expected] of [
    ['a film', 202],
    ['bad:media-truncated', 422],
  ] as const) {
    const bytes = Buffer.from(text);
    const location = await begin(bytes.length);
    await stack.store.append(keyOf(location), 0, new Blob([bytes]).stream(), { maxBytes: bytes.length });
    expect(await offsetOf(location)).toBe(bytes.length);
    const video = { uploadId: idOf(location), title: 'Found again' };
    const answer = await call(stack, owner, 'POST', '/api/v1/videos', video);
    expect(answer.status).toBe(expected);
    if (expected === 422) expect(await rowsOf(location)).toEqual([]);
  }
});

test('an unfinished upload is deleted after a day, one that a video has is not', async () => {
  const location = await begin(5);
  const used = await upload(stack, owner, Buffer.from('a film to keep'));
  await call(stack, owner, 'POST', '/api/v1/videos', { uploadId: used, title: 'Kept' });
  stack.clock.aheadMs += 86_400_000 + 60_000;
  expect((await call(stack, owner, 'HEAD', location, undefined, tusHeaders)).status).toBe(404);
  await stack.media.uploads.expire(new AbortController().signal);
  expect(await stack.store.stat(keyOf(location))).toBeUndefined();
  const keys = await storedKeys(stack.store);
  expect(keys).toContain(`uploads/${used}`);
  const rows = await stack.db.sql`select id from upload where state <> 'used'`;
  expect(rows).toEqual([]);
});
