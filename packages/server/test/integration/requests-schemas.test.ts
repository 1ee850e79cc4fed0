import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type AnyEndpoint, API_PREFIX, api, Problem } from '@hvideo/protocol';
import { z } from 'zod';
import { errorRegistry } from '../../src/kernel/errors.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';

/**
 * Walks every request of the interface and breaks each rule of its schemas. What does not fit is refused by a problem
 * document that the OpenAPI document announces, changes nothing, and is never an error of the server; the same holds
 * for values that fit a schema but that nobody sends in earnest.
 */
let t: RunningApplication;
let documented: Record<string, Record<string, { responses: Record<string, { description: string }> }>>;

beforeAll(async () => {
  t = await runApplication();
  const response = await fetch(`${t.url}/api/openapi.json`);
  documented = ((await response.json()) as { paths: typeof documented }).paths;
}, 60_000);
afterAll(async () => t[Symbol.asyncDispose]());

const endpoints = Object.values(api).flatMap((group) => Object.values<AnyEndpoint>(group));
const nameOf = ({ method, path }: AnyEndpoint) => `${method} ${path}`;

/** Parts of a request that fits, from which one at a time is broken. Nothing that it asks for is there to be changed. */
const fitting: Record<string, Record<string, unknown>> = {
  'POST /auth/register': { username: 'schema_tester', password: 'password' },
  'POST /auth/login': { login: 'nobody_at_all', password: 'password' },
  'POST /auth/codes': { phone: '+4915112345678' },
  'POST /auth/refresh': { refreshToken: 'nonsense' },
  'POST /auth/password': { currentPassword: 'wrong word', newPassword: 'a new long word' },
  'PATCH /users/me': { bio: 'x' },
  'DELETE /users/me': { password: 'wrong word' },
  'POST /instance/setup': { username: 'schema_tester', password: 'password' },
  'POST /invitations': { uses: 1, validDays: 1 },
  'PUT /users/{id}/suspension': { reason: 'x', until: null },
  'PUT /users/{id}/role': { role: 'user' },
  'POST /videos': { uploadId: '1', title: 'x' },
  'PATCH /videos/{id}': { title: 'x' },
  'POST /videos/{id}/takedown': { reason: 'x' },
  'POST /videos/{id}/views': { watchedMs: 1_000, positionMs: 1_000, completed: false },
  'PUT /users/me/history-settings': { paused: true },
  'PATCH /users/me/list-settings': { likes: true },
  'POST /users/me/folders': { name: 'x' },
  'PATCH /users/me/folders/{id}': { name: 'x' },
  'POST /videos/{id}/comments': { text: 'x' },
  'POST /videos/{id}/repost': { comment: 'x' },
  'POST /notifications/read': { upTo: '1' },
  'PUT /feed/following/position': { entryId: '1' },
  'POST /conversations': { type: 'group', memberIds: ['1'] },
  'PATCH /conversations/{id}': { title: 'x' },
  'POST /conversations/{id}/messages': { type: 'text', text: 'x' },
  'PUT /conversations/{id}/read': { seq: 1 },
  'POST /conversations/{id}/members': { memberIds: ['1'] },
};

const params: Record<string, string> = { id: '1', userId: '1', code: 'unknown' };

/** A fresh admin for each endpoint: some requests end their own login. */
async function newAdmin(): Promise<string> {
  const { registration, administration, sessions } = t.features.accounts;
  const username = `schema_${crypto.randomUUID().slice(0, 8)}`;
  const id = await registration.create({ username, password: null });
  await administration.setRole(id, 'admin');
  const caller = { address: '127.0.0.1', userAgent: 'test' };
  const opened = await t.db.transaction((tx) => sessions.open(tx, { id, role: 'admin' }, caller));
  return (await sessions.seal(opened)).accessToken;
}

interface Sent {
  readonly what: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly text?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

async function send(endpoint: AnyEndpoint, token: string, sent: Sent) {
  const path = sent.path ?? pathOf(endpoint, params);
  const { body } = sent;
  const hasBody = endpoint.method !== 'GET' && endpoint.method !== 'HEAD';
  const response = await fetch(`${t.url}${API_PREFIX}${path}`, {
    method: endpoint.method,
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${token}`,
      ...(endpoint.body && { 'content-type': 'application/json' }),
      ...(endpoint.tag === 'uploads' && { 'tus-resumable': '1.0.0' }),
      ...sent.headers,
    },
    ...(hasBody && { body: sent.text ?? (body === undefined ? null : JSON.stringify(body)) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function pathOf(endpoint: AnyEndpoint, values: Record<string, string>, query = ''): string {
  return endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '') + query;
}

/** Checks the form of an answer; returns its code, or "ok". */
function codeOfAnswer(endpoint: AnyEndpoint, sent: Sent, answer: Awaited<ReturnType<typeof send>>): string {
  const { status, headers, text } = answer;
  const what = `${nameOf(endpoint)}: ${sent.what}`;
  if (status < 400) return 'ok';
  expect([what, headers.get('content-type')]).toEqual([what, 'application/problem+json']);
  if (endpoint.method === 'HEAD') return `status ${status}`;
  const problem = Problem.parse(JSON.parse(text));
  expect([what, problem.code in errorRegistry, problem.status]).toEqual([what, true, status]);
  const known = documented[endpoint.path]?.[endpoint.method.toLowerCase()]?.responses[status]?.description;
  expect(`${what} -> ${known}`).toContain(`\`${problem.code}\``);
  if (status >= 500) throw new Error(`${what} was answered ${status} ${text}`);
  return problem.code;
}

const outcomeOf = async (endpoint: AnyEndpoint, token: string, sent: Sent) =>
  codeOfAnswer(endpoint, sent, await send(endpoint, token, sent));

const hostileStrings = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e',
  '\u{1F3AC}'.repeat(20),
  'x'.repeat(5_000),
  "'; drop table account; --",
  '-1',
  '0',
  '9223372036854775807',
  '9223372036854775808',
  '__proto__',
  '9999-12-31T23:59:59.999Z',
  '0001-01-01T00:00:00Z',
];
const hostileValues: readonly unknown[] = [
  ...hostileStrings,
  ...[null, true, -1, 0, 1.5, 1e21, 1e308, Number.MAX_SAFE_INTEGER, [], ['x'], [null], {}, { x: 1 }],
  Array.from({ length: 500 }, () => 'tag'),
  Array.from({ length: 11 }, (_, n) => `tag${n}`),
];

/** The names of the properties that a schema knows, whichever of its alternatives. */
function propertiesOf(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  return [...new Set(branchesOf(json).flatMap((branch) => Object.keys(branch.properties ?? {})))];
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The schema and what it is put together from. */
function branchesOf(schema: JsonSchema): JsonSchema[] {
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...parts.flatMap(branchesOf)];
}

function brokenBodies(endpoint: AnyEndpoint): Sent[] {
  if (!endpoint.body) return [];
  const fit = fitting[nameOf(endpoint)] ?? {};
  const sent: Sent[] = propertiesOf(endpoint.body).flatMap((name) => {
    const changed = hostileValues.map((value) => ({
      what: `${name} = ${JSON.stringify(value).slice(0, 60)}`,
      body: { ...fit, [name]: value },
    }));
    const { [name]: _, ...without } = fit;
    return [...changed, { what: `without ${name}`, body: without }];
  });
  sent.push({ what: 'an unknown property', body: { ...fit, unknownProperty: 1, constructor: 2 } });
  for (const body of [[], null, 1, 'x', true]) sent.push({ what: JSON.stringify(body), body });
  return sent;
}

const hostileQueries = [
  'limit=0',
  'limit=101',
  'limit=-1',
  'limit=1.5',
  'limit=abc',
  'limit=',
  'limit=1e9',
  'limit=1&limit=x',
  'cursor=',
  'cursor=forged',
  'cursor=e30.e30',
  'cursor=%00',
  'cursor=%ff%fe',
  'cursor=%',
  `cursor=${'x'.repeat(1_001)}`,
  'unknown=1',
  '&&&===',
];
const hostileSegments = [
  ...[
    'undefined',
    '0',
    '-1',
    '01',
    '1.0',
    '1e3',
    '9223372036854775807',
    '9223372036854775808',
    '@',
    '@a',
    '@no',
  ],
  ...[
    '%00',
    '%',
    '%E0%A4%A',
    '%ff',
    '%2e%2e%2f',
    '%D9%A1',
    '@%00abc',
    'x'.repeat(5_000),
    '@'.repeat(40),
    '%20',
  ],
  encodeURIComponent("1' or 1=1"),
];

/** The parts of a path or a query as the server's own schema sees them. */
function fits(schema: z.ZodType, values: Record<string, string>): boolean {
  return schema.safeParse(values).success;
}

function brokenAddresses(endpoint: AnyEndpoint): (Sent & { readonly valid: boolean | undefined })[] {
  const queries = endpoint.query
    ? hostileQueries.map((query) => ({
        what: query.slice(0, 60),
        path: pathOf(endpoint, params, `?${query}`),
        valid: endpoint.query && fits(endpoint.query, Object.fromEntries(new URLSearchParams(query))),
      }))
    : [];
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const segments = names.flatMap((name) =>
    hostileSegments.map((segment) => ({
      what: `${name} = ${segment.slice(0, 60)}`,
      path: pathOf(endpoint, { ...params, [name]: segment }),
      // Whether an encoding that makes no sense is decoded, and how, is the router's.
      valid:
        segment.includes('%') || !endpoint.params
          ? undefined
          : fits(endpoint.params, { ...params, [name]: segment }),
    })),
  );
  return [...queries, ...segments];
}

/** Every row of every table of ours, as one text; without what reading changes. */
async function everything(): Promise<string> {
  // What was counted before is folded now, not in the middle of a comparison.
  await t.features.counters.fold();
  const tables = await t.db.sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE'
      and table_name not in ('node_lease', 'counter_fold')
      and table_name not like 'change%' order by 1`;
  const parts: string[] = [];
  for (const { name } of tables) {
    const [row] = await t.db.driver.unsafe(
      `select coalesce(string_agg((to_jsonb(entry) - 'last_used_at')::text, e'\n' order by entry::text), '') as rows from ${name} as entry`,
    );
    parts.push(`${name}\n${row.rows}`);
  }
  return parts.join('\n');
}

describe('every request of the interface', () => {
  test('is documented, and nothing else is', () => {
    const inDocument = Object.entries(documented).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routed = t.routes.map(({ endpoint }) => nameOf(endpoint));
    expect(routed.toSorted()).toEqual(endpoints.map(nameOf).toSorted());
    expect(inDocument.toSorted()).toEqual(routed.toSorted());
    for (const endpoint of endpoints)
      for (const code of endpoint.problems ?? []) expect(Object.keys(errorRegistry)).toContain(code);
  });

  test('has an example here if it takes a body', () => {
    const withBody = endpoints.filter(({ body }) => body !== undefined);
    expect(Object.keys(fitting).toSorted()).toEqual(withBody.map(nameOf).toSorted());
    for (const endpoint of withBody)
      expect([nameOf(endpoint), endpoint.body?.safeParse(fitting[nameOf(endpoint)]).success]).toEqual([
        nameOf(endpoint),
        true,
      ]);
  });

  test('refuses what breaks its schema with a problem document, and changes nothing', async () => {
    const tokens = new Map<AnyEndpoint, string>();
    for (const endpoint of endpoints) tokens.set(endpoint, await newAdmin());
    const before = await everything();
    let refused = 0;
    for (const endpoint of endpoints) {
      const token = tokens.get(endpoint) ?? '';
      for (const sent of brokenBodies(endpoint)) {
        if (endpoint.body?.safeParse(JSON.parse(JSON.stringify(sent.body))).success) continue;
        const code = await outcomeOf(endpoint, token, sent);
        expect([nameOf(endpoint), sent.what, code]).toEqual([nameOf(endpoint), sent.what, 'invalid-request']);
        refused += 1;
      }
      for (const sent of brokenAddresses(endpoint)) {
        if (sent.valid !== false || endpoint.method === 'OPTIONS') continue;
        const body = endpoint.body ? { body: fitting[nameOf(endpoint)] } : {};
        const code = await outcomeOf(endpoint, token, { ...body, ...sent });
        const expected = endpoint.method === 'HEAD' ? 'status 400' : 'invalid-request';
        expect([nameOf(endpoint), sent.what, code]).toEqual([nameOf(endpoint), sent.what, expected]);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(1_000);
    expect(await everything()).toBe(before);
  }, 60_000);

  test('refuses bodies that are not JSON, not declared so, or too large', async () => {
    const before = await everything();
    for (const endpoint of endpoints.filter(({ body }) => body !== undefined)) {
      const token = await newAdmin();
      const fit = JSON.stringify(fitting[nameOf(endpoint)]);
      const cases: [Sent, string][] = [
        ...['{', '{"a":}', 'NaN', "{'a': 1}", `${fit}x`, '{"a":1,}', '\u0000'].map((text): [Sent, string] => [
          { what: text, text },
          'invalid-json',
        ]),
        [{ what: 'not UTF-8', text: Uint8Array.from([0x22, 0xff, 0x22]) }, 'invalid-json'],
        [
          { what: 'text/plain', text: fit, headers: { 'content-type': 'text/plain' } },
          'unsupported-media-type',
        ],
        [
          { what: 'a form', text: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
          'unsupported-media-type',
        ],
        [{ what: 'too large', text: `${fit.slice(0, -1)}${' '.repeat(70_000)}}` }, 'body-too-large'],
      ];
      for (const [sent, expected] of cases)
        expect([nameOf(endpoint), sent.what, await outcomeOf(endpoint, token, sent)]).toEqual([
          nameOf(endpoint),
          sent.what,
          expected,
        ]);
      const deep = { what: 'deep', text: `${'['.repeat(30_000)}${']'.repeat(30_000)}` };
      expect(['invalid-json', 'invalid-request']).toContain(await outcomeOf(endpoint, token, deep));
      const headers = { 'transfer-encoding': 'chunked' };
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(16_384).fill(0x20)),
      });
      const response = await fetch(`${t.url}${API_PREFIX}${pathOf(endpoint, params)}`, {
        method: endpoint.method,
        headers: { ...headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: endless,
      });
      expect([nameOf(endpoint), response.status]).toEqual([nameOf(endpoint), 413]);
      await response.body?.cancel();
    }
    const after = (await everything()).split('\n').length;
    // The admins made above are all that is new: an account, its counts and a login each.
    const admins = endpoints.filter(({ body }) => body !== undefined).length;
    expect(after - before.split('\n').length).toBe(3 * admins);
  }, 60_000);

  test('never fails on values that fit a schema and that nobody sends in earnest', async () => {
    const seen = new Map<string, number>();
    const note = (code: string) => seen.set(code, (seen.get(code) ?? 0) + 1);
    const somebody = await t.features.accounts.registration.create({ username: 'victim', password: null });
    for (const endpoint of endpoints) {
      const token = await newAdmin();
      const path = pathOf(endpoint, { ...params, id: somebody });
      for (const sent of brokenBodies(endpoint)) {
        if (!endpoint.body?.safeParse(JSON.parse(JSON.stringify(sent.body))).success) continue;
        note(await outcomeOf(endpoint, token, { path, ...sent }));
      }
      const body = endpoint.body ? { body: fitting[nameOf(endpoint)] } : {};
      for (const sent of brokenAddresses(endpoint)) {
        if (sent.valid === false) continue;
        const answer = await send(endpoint, token, { ...body, ...sent });
        // A path that cannot be decoded may also belong to no route.
        if (answer.status < 500) continue;
        throw new Error(`${nameOf(endpoint)}: ${sent.what} was answered ${answer.status} ${answer.text}`);
      }
    }
    expect(seen.size).toBeGreaterThan(3);
  }, 60_000);

  test('refuses strange headers', async () => {
    for (const endpoint of endpoints) {
      const token = await newAdmin();
      const body = endpoint.body ? { body: fitting[nameOf(endpoint)] } : {};
      const isWrite = !['GET', 'HEAD', 'OPTIONS'].includes(endpoint.method);
      for (const key of ['', 'with space', 'x'.repeat(201), 'umläut']) {
        if (!isWrite || endpoint.access === 'public') continue;
        const sent = { what: `key ${key}`, ...body, headers: { 'idempotency-key': key } };
        expect([nameOf(endpoint), key, await outcomeOf(endpoint, token, sent)]).toEqual([
          nameOf(endpoint),
          key,
          'invalid-idempotency-key',
        ]);
      }
      for (const authorization of [
        'Bearer',
        'Basic abc',
        'Bearer a b',
        'x',
        'Bearer \u00e9',
        `Bearer ${'x'.repeat(9_000)}`,
      ]) {
        const sent = { what: authorization.slice(0, 20), ...body, headers: { authorization } };
        const code = await outcomeOf(endpoint, token, sent);
        if (endpoint.access !== 'public')
          expect(code).toBe(endpoint.method === 'HEAD' ? 'status 401' : 'token-invalid');
      }
    }
  }, 30_000);

  test('that no route takes is refused as well', async () => {
    const call = async (method: string, path: string) => {
      const response = await fetch(`${t.url}${path}`, { method });
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      return Problem.parse(await response.json()).code;
    };
    expect(await call('GET', '/api/v1/nothing')).toBe('not-found');
    expect(await call('GET', '/api/v2/users/me')).toBe('not-found');
    expect(await call('POST', '/api/v1/users/me/sessions')).toBe('method-not-allowed');
    expect(await call('DELETE', '/api/v1/instance')).toBe('method-not-allowed');
    expect(await call('POST', '/anything')).toBe('method-not-allowed');
    expect(await call('GET', '/media/%00')).toBe('not-found');
    expect(await call('GET', '/media/v/1/2/%2e%2e/secret')).toBe('not-found');
  });
});
