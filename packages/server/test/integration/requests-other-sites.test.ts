import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { AuthSession } from '@hvideo/protocol';
import { InvalidSettings, loadConfig } from '../../src/config/config.ts';
import { ApiUser, passwordOf } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';

const friend = 'https://app.example';
const stranger = 'https://evil.example';

/** One instance that lets `friend` in, and one that lets nobody in. */
let open: RunningApplication;
let closed: RunningApplication;
let member: ApiUser;

beforeAll(async () => {
  open = await runApplication({ HVIDEO_ALLOWED_ORIGINS: `${friend}, https://second.example:8443` });
  closed = await runApplication();
  member = await new ApiUser(open.url).join('member_here', '/instance/setup');
}, 60_000);
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await closed[Symbol.asyncDispose]();
});

const preflight = (at: RunningApplication, origin: string, path: string) =>
  fetch(`${at.url}/api/v1${path}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization',
    },
  });
const mayRead = (response: { headers: Headers }) => response.headers.get('access-control-allow-origin');

describe('a browser app on another origin', () => {
  test('that the settings name may ask, log in, write and read, without credentials', async () => {
    for (const path of ['/auth/login', '/users/me', '/uploads', '/uploads/1', '/nothing']) {
      const asked = await preflight(open, friend, path);
      expect([path, asked.status, mayRead(asked)]).toEqual([path, 204, friend]);
      expect(asked.headers.get('access-control-allow-headers')).toContain('Authorization');
      expect(asked.headers.get('access-control-allow-methods')).toContain('PATCH');
      expect(asked.headers.get('access-control-allow-credentials')).toBeNull();
      expect(asked.headers.get('vary')).toBe('Origin');
    }
    const headers = { origin: friend };
    const body = { login: 'member_here', password: passwordOf('member_here') };
    const login = await new ApiUser(open.url).call<AuthSession>('POST', '/auth/login', { body, headers });
    expect([login.status, mayRead(login)]).toEqual([200, friend]);
    const patch = await member.call('PATCH', '/users/me', { body: { bio: 'from the app' }, headers });
    expect([patch.status, mayRead(patch)]).toEqual([200, friend]);
    const refusal = await new ApiUser(open.url).call('GET', '/users/me', { headers });
    expect([refusal.status, mayRead(refusal)]).toEqual([401, friend]);
    const upload = await member.call('POST', '/uploads', {
      headers: { ...headers, 'tus-resumable': '1.0.0', 'upload-length': '10' },
    });
    expect(upload.status).toBe(201);
    expect(upload.headers.get('access-control-expose-headers')).toContain('Location');
  });

  test('acts for nobody by our cookies, whatever the settings say', async () => {
    for (const name of ['hvideo_session', 'hvideo_refresh']) {
      const headers = { origin: friend, cookie: `other=1; ${name}=${member.accessToken}` };
      for (const [method, path] of [
        ['POST', '/auth/refresh'],
        ['POST', '/auth/logout'],
        ['PATCH', '/users/me'],
      ] as const) {
        const answer = await new ApiUser(open.url).call(method, path, { headers, body: {} });
        expect([name, path, answer.body.code]).toEqual([name, path, 'cross-origin']);
      }
    }
    expect((await member.call('GET', '/users/me')).status).toBe(200);
  });

  test('that nobody named may neither write nor read', async () => {
    const body = { login: 'member_here', password: passwordOf('member_here') };
    for (const [at, origin] of [
      [open, stranger],
      [open, 'https://app.example.evil.example'],
      [open, 'http://app.example'],
      [open, 'null'],
      [closed, friend],
    ] as const) {
      const asked = await preflight(at, origin, '/users/me');
      expect([origin, mayRead(asked)]).toEqual([origin, null]);
      const login = await new ApiUser(at.url).call('POST', '/auth/login', { body, headers: { origin } });
      expect([origin, login.body.code, mayRead(login)]).toEqual([origin, 'cross-origin', null]);
      const read = await new ApiUser(at.url).call('GET', '/instance', { headers: { origin } });
      expect([origin, read.status, mayRead(read)]).toEqual([origin, 200, null]);
    }
  });

  test('is named by its origin, nothing more', () => {
    const settings = (HVIDEO_ALLOWED_ORIGINS: string) => () => loadConfig({ HVIDEO_ALLOWED_ORIGINS });
    for (const wrong of [
      'https://app.example/',
      'app.example',
      'null',
      '',
      'https://a.example,',
      'file:///x',
    ])
      expect(settings(wrong)).toThrow(InvalidSettings);
    expect(settings('*')().HVIDEO_ALLOWED_ORIGINS).toEqual(['*']);
  });
});

test('metrics are for this machine and private networks, not for visitors who come by a proxy', async () => {
  const metrics = (headers: Record<string, string> = {}) => fetch(`${open.url}/metrics`, { headers });
  const own = await metrics();
  expect(own.status).toBe(200);
  expect(await own.text()).toContain('http_requests_total');
  const visitor = await metrics({ 'x-forwarded-for': '203.0.113.9' });
  expect(visitor.status).toBe(404);
  expect(await visitor.text()).not.toContain('http_requests_total');
});
