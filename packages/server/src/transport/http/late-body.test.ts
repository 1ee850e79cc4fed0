import { afterAll, beforeAll, expect, test } from 'bun:test';
import { lateBody, PIECES_FROM_BYTES } from './late-body.ts';

/** What is answered next, and how often the server has answered. */
let body: string | Uint8Array<ArrayBuffer> = '';
let answered = 0;
let server: Bun.Server<undefined>;

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch() {
      const taken = body;
      await new Promise((resolve) => setImmediate(resolve));
      const response = new Response(lateBody(taken), { headers: { 'content-type': 'application/json' } });
      // As the place where lists are joined is used again.
      if (typeof taken !== 'string') taken.fill(0);
      answered += 1;
      return response;
    },
  });
});
afterAll(() => server.stop(true));

const text = (length: number) => 'x'.repeat(length);

test('short or long, text or bytes: it arrives as it was when it was answered', async () => {
  const texts = [
    '',
    text(PIECES_FROM_BYTES - 1),
    text(PIECES_FROM_BYTES),
    '\u4f60'.repeat(5_119),
    '\u4f60'.repeat(5_121),
  ];
  for (const each of [...texts, text(1 << 20)]) {
    body = each;
    expect(await (await fetch(server.url)).text()).toBe(each);
    body = new TextEncoder().encode(each);
    expect(await (await fetch(server.url)).text()).toBe(each);
    expect(await new Response(lateBody(each)).text()).toBe(each);
  }
});

test('a short one says how long it is, a long one comes in two pieces', async () => {
  const lengthOf = async (length: number) => {
    body = text(length);
    return (await fetch(server.url)).headers.get('content-length');
  };
  expect(await lengthOf(PIECES_FROM_BYTES - 1)).toBe(String(PIECES_FROM_BYTES - 1));
  expect(await lengthOf(PIECES_FROM_BYTES)).toBeNull();
});

test('whoever leaves before the answer harms nobody', async () => {
  body = text(1 << 20);
  const before = answered;
  for (let i = 0; i < 50; i++) {
    const leaving = new AbortController();
    const asked = fetch(server.url, { signal: leaving.signal });
    if (i % 2 === 0) leaving.abort();
    else void asked.then((response) => response.body?.cancel());
    await asked.catch(() => {});
  }
  expect(await (await fetch(server.url)).text()).toBe(text(1 << 20));
  expect(answered).toBeGreaterThan(before + 25);
});
