import { afterEach, expect, test } from 'bun:test';
import { api } from '@hvideo/protocol';
import { type Client, type ClientOptions, createClient } from './client.ts';
import { ApiError, NetworkError } from './errors.ts';
import { memoryStore, type SessionState } from './session.ts';
import { realSurroundings, type Surroundings } from './wait.ts';

interface Seen {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}
type Handler = (request: Seen, calls: number) => Response | Promise<Response>;

const servers: { stop(closeActive: boolean): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

/** Waits take no time, and are written down. */
function around(sleeps: number[] = []): Surroundings {
  return {
    ...realSurroundings,
    random: () => 0.5,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      sleeps.push(ms);
    },
  };
}

function serve(handler: Handler, options: Partial<ClientOptions> = {}) {
  const requests: Seen[] = [];
  const server = Bun.serve({
    port: 0,
    fetch: async (request) => {
      const seen = { url: request.url, headers: new Headers(request.headers), body: await request.text() };
      requests.push(seen);
      return handler(seen, requests.length);
    },
  });
  servers.push(server);
  const client: Client = createClient({
    baseUrl: server.url.href,
    session: { kind: 'token' },
    surroundings: around(),
    ...options,
  });
  return { client, requests };
}

const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ type: 'x', title: code, status, code, outcome: 'not-applied' }), {
    status,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });

const stale: SessionState = {
  accessToken: 'old',
  refreshToken: 'r1',
  accessExpiresAtMs: Date.now() + 3_600_000,
  refreshKey: 'key-of-r1',
};
const renewed = (access = 'new', refresh = 'r2') =>
  Response.json({ user: { id: '1' }, accessToken: access, refreshToken: refresh, expiresIn: 900 });
const isRefresh = (request: Seen) => new URL(request.url).pathname.endsWith('/auth/refresh');

test('fills path and query, and reads the answer', async () => {
  const { client, requests } = serve(() => Response.json({ items: [], nextCursor: null }));
  const page = await client.call(api.users.followers, { params: { id: '@lin' }, query: { limit: 5 } });
  expect(page).toEqual({ items: [], nextCursor: null });
  expect(new URL(requests[0]?.url ?? '').pathname).toBe('/api/v1/users/@lin/followers');
  expect(new URL(requests[0]?.url ?? '').search).toBe('?limit=5');
  expect(requests[0]?.headers.get('Idempotency-Key')).toBeNull();
});

test('a refusal is an ApiError with its problem; what is no problem document has the status as code', async () => {
  const { client } = serve((_request, calls) =>
    calls === 1 ? refusal(404, 'not-found') : new Response('<h1>no</h1>', { status: 418 }),
  );
  const first = await client.call(api.users.get, { params: { id: '1' } }).catch((error: unknown) => error);
  expect(first).toBeInstanceOf(ApiError);
  expect(first).toMatchObject({ code: 'not-found', status: 404, problem: { title: 'not-found' } });
  const second = await client.call(api.users.get, { params: { id: '1' } }).catch((error: unknown) => error);
  expect(second).toMatchObject({ code: 'http-418', status: 418 });
});

test('a write is repeated with the same key, and the next write has another', async () => {
  const { client, requests } = serve((_request, calls) =>
    calls === 1 ? refusal(503, 'timeout') : new Response(null, { status: 204 }),
  );
  expect(await client.call(api.users.follow, { params: { id: '7' } })).toBeUndefined();
  await client.call(api.users.follow, { params: { id: '7' } });
  const keys = requests.map((request) => request.headers.get('Idempotency-Key'));
  expect(keys[0]).toBeTruthy();
  expect(keys[1]).toBe(keys[0] ?? '');
  expect(keys[2]).not.toBe(keys[0] ?? '');
});

test('tries are bounded, and a final refusal is not repeated', async () => {
  const busy = serve(() => refusal(503, 'shutting-down'));
  await expect(busy.client.call(api.feed.latest)).rejects.toMatchObject({ code: 'shutting-down' });
  expect(busy.requests).toHaveLength(4);
  const wrong = serve(() => refusal(422, 'too-many-follows'));
  await expect(wrong.client.call(api.users.follow, { params: { id: '7' } })).rejects.toBeInstanceOf(ApiError);
  expect(wrong.requests).toHaveLength(1);
});

test('Retry-After is kept, unless it passes the deadline', async () => {
  const sleeps: number[] = [];
  const surroundings = around(sleeps);
  const short = serve(
    (_request, calls) =>
      calls === 1 ? refusal(429, 'rate-limited', { 'Retry-After': '3' }) : Response.json({ items: [] }),
    { surroundings },
  );
  await short.client.call(api.feed.latest);
  expect(sleeps[0]).toBeGreaterThanOrEqual(3000);
  const long = serve(() => refusal(429, 'rate-limited', { 'Retry-After': '120' }), { surroundings });
  await expect(long.client.call(api.feed.latest)).rejects.toMatchObject({ retryAfterMs: 120_000 });
  expect(long.requests).toHaveLength(1);
});

test('no answer is a NetworkError: refused, or too late', async () => {
  const refused = createClient({
    baseUrl: 'http://127.0.0.1:1',
    session: { kind: 'token' },
    surroundings: around(),
  });
  await expect(refused.call(api.feed.latest)).rejects.toMatchObject({
    name: 'NetworkError',
    timedOut: false,
  });
  const { client } = serve(() => new Promise<Response>(() => {}), {
    limits: { attemptMs: 20, maxAttempts: 2 },
  });
  const error = await client.call(api.feed.latest).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NetworkError);
  expect(error).toMatchObject({ timedOut: true });
});

test('an answer that does not come is waited for by the clock of the surroundings', async () => {
  const timers: number[] = [];
  const fires = Promise.withResolvers<() => void>();
  const { client } = serve(() => new Promise<Response>(() => {}), {
    limits: { attemptMs: 86_400_000, deadlineMs: 86_400_000, maxAttempts: 1 },
    surroundings: {
      ...around(),
      setTimer: (ms, callback) => {
        timers.push(ms);
        fires.resolve(callback);
        return () => {};
      },
    },
  });
  const call = client.call(api.feed.latest).catch((reason: unknown) => reason);
  (await fires.promise)();
  expect(await call).toMatchObject({ name: 'NetworkError', timedOut: true });
  expect(timers).toEqual([86_400_000]);
});

test('an abort ends the call with the signal’s reason', async () => {
  const controller = new AbortController();
  const { client } = serve(() => {
    controller.abort(new Error('left the page'));
    return new Promise<Response>(() => {});
  });
  await expect(client.call(api.feed.latest, {}, { signal: controller.signal })).rejects.toThrow(
    'left the page',
  );
});

test('calls refused at once share one renewal and go on', async () => {
  const store = memoryStore(stale);
  const { client, requests } = serve(
    (request) => {
      if (isRefresh(request)) return renewed();
      const isNew = request.headers.get('Authorization') === 'Bearer new';
      return isNew ? Response.json({ items: [], nextCursor: null }) : refusal(401, 'token-invalid');
    },
    { session: { kind: 'token', store } },
  );
  await Promise.all(Array.from({ length: 5 }, () => client.call(api.feed.following)));
  expect(requests.filter(isRefresh)).toHaveLength(1);
  expect(await store.load()).toMatchObject({ accessToken: 'new', refreshToken: 'r2' });
});

test('a renewal whose answer was lost is repeated with the key of its token', async () => {
  const store = memoryStore({ ...stale, accessExpiresAtMs: 0 });
  let refreshes = 0;
  const { client, requests } = serve(
    (request) => {
      if (!isRefresh(request)) return Response.json({ items: [], nextCursor: null });
      refreshes += 1;
      return refreshes === 1 ? new Response('gateway', { status: 504 }) : renewed();
    },
    { session: { kind: 'token', store } },
  );
  await client.call(api.feed.following);
  const keys = requests.filter(isRefresh).map((request) => request.headers.get('Idempotency-Key'));
  expect(keys).toEqual(['key-of-r1', 'key-of-r1']);
  expect((await store.load())?.refreshKey).not.toBe('key-of-r1');
});

test('a login that cannot be renewed is forgotten, once, and said', async () => {
  const store = memoryStore({ ...stale, accessExpiresAtMs: 0 });
  const ended: string[] = [];
  const { client } = serve(() => refusal(401, 'token-reused'), {
    session: { kind: 'token', store },
    onSessionEnd: (reason) => ended.push(reason.code),
  });
  await expect(client.call(api.feed.following)).rejects.toMatchObject({ code: 'token-reused' });
  expect(ended).toEqual(['token-reused']);
  expect(await client.isSignedIn()).toBe(false);
});

test('a wrong password is no reason to renew', async () => {
  const store = memoryStore(stale);
  const { client, requests } = serve(() => refusal(401, 'bad-credentials'), {
    session: { kind: 'token', store },
  });
  const body = { currentPassword: 'x', newPassword: 'yyyyyyyy' };
  await expect(client.call(api.auth.changePassword, { body })).rejects.toMatchObject({
    code: 'bad-credentials',
  });
  expect(requests).toHaveLength(1);
  expect(await client.isSignedIn()).toBe(true);
});

test('a cookie session asks for cookies and keeps no token', async () => {
  const store = memoryStore();
  const { client, requests } = serve(() => renewed('secret', 'secret too'), {
    session: { kind: 'cookie', store },
  });
  await client.call(api.auth.login, { body: { login: 'lin', password: 'p' } });
  expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({ session: 'cookie' });
  expect(JSON.stringify(await store.load())).not.toContain('secret');
  expect(await client.isSignedIn()).toBe(true);
  expect(await client.authHeaders()).toEqual({});
});

test('logging out forgets the login', async () => {
  const store = memoryStore(stale);
  const { client } = serve(() => new Response(null, { status: 204 }), { session: { kind: 'token', store } });
  await client.call(api.auth.logout);
  expect(await client.isSignedIn()).toBe(false);
});

test('events go on over a new connection from the last id', async () => {
  const { client, requests } = serve((_request, calls) => {
    const text =
      calls === 1
        ? ': hello\n\nid: 1\nevent: progress\ndata: {"percent":\ndata: 10}\n\nid: 2\nevent: prog'
        : 'id: 2\r\nevent: progress\r\ndata: {"percent":100}\r\n\r\n';
    return new Response(text, { headers: { 'Content-Type': 'text/event-stream' } });
  });
  const seen: unknown[] = [];
  for await (const event of client.events(api.videos.progress, { params: { id: '5' } })) {
    expect(event.type).toBe('progress');
    seen.push(JSON.parse(event.data));
    if (seen.length === 2) break;
  }
  expect(seen).toEqual([{ percent: 10 }, { percent: 100 }]);
  expect(requests.map((request) => request.headers.get('Last-Event-ID'))).toEqual([null, '1']);
});

test('events end with the refusal, or after streams without events', async () => {
  const read = async (client: Client) => {
    for await (const event of client.events(api.videos.progress, { params: { id: '5' } })) return event;
    return undefined;
  };
  await expect(read(serve(() => refusal(404, 'not-found')).client)).rejects.toMatchObject({
    code: 'not-found',
  });
  const silent = serve(() => new Response(''));
  await expect(read(silent.client)).rejects.toBeInstanceOf(NetworkError);
  expect(silent.requests.length).toBeLessThan(12);
});
