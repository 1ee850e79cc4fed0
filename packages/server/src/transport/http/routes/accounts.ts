import { type AuthSession, api, type Instance } from '@hvideo/protocol';
import { type Accounts, isLoopback, type Tokens } from '../../../features/accounts/index.ts';
import { AppError } from '../../../kernel/errors.ts';
import { cookieOf, refreshCookie } from '../credentials.ts';
import { type Reply, type RequestInfo, type Route, route } from '../route.ts';
import { clearSessionCookies, setSessionCookies } from './session-cookies.ts';

export interface InstanceFacts {
  readonly version: string;
  readonly limits: Instance['limits'];
}

/** How a login is handed over: tokens in the answer, or cookies. */
function handover(accounts: Accounts) {
  return async (
    tokens: Tokens,
    kind: 'token' | 'cookie',
    { request, reply }: { request: RequestInfo; reply: Reply },
  ): Promise<AuthSession> => {
    if (kind === 'cookie') setSessionCookies(reply.headers, request.raw, tokens);
    return {
      user: await accounts.profiles.account(tokens.accountId),
      accessToken: tokens.accessToken,
      ...(kind === 'token' && { refreshToken: tokens.refreshToken }),
      expiresIn: tokens.expiresInSeconds,
    };
  };
}

export function authRoutes(accounts: Accounts): Route[] {
  const { login, registration, sessions, codes } = accounts;
  const hand = handover(accounts);
  return [
    route(api.auth.register, async (call) =>
      hand(await registration.register(call.body, call.request), call.body.session, call),
    ),
    route(api.auth.login, async (call) => {
      const { body, request } = call;
      const tokens =
        'phone' in body
          ? await login.byCode(body.phone, body.code, request)
          : await login.byPassword(body.login, body.password, request);
      return hand(tokens, body.session, call);
    }),
    route(api.auth.sendCode, ({ body, request }) => codes.send(body.phone, body.locale ?? 'en', request)),
    route(api.auth.refresh, async (call) => {
      const { body, request } = call;
      const fromCookie = cookieOf(request.raw, refreshCookie);
      const token = body.refreshToken ?? fromCookie;
      if (!token) throw new AppError('token-invalid');
      const key = request.raw.headers.get('idempotency-key') ?? undefined;
      return hand(await sessions.refresh(token, key), body.refreshToken ? 'token' : 'cookie', call);
    }),
    route(api.auth.logout, async ({ reply }, viewer) => {
      await sessions.logout(viewer);
      clearSessionCookies(reply.headers);
    }),
    route(api.auth.changePassword, ({ body, request }, viewer) =>
      login.changePassword(viewer, body, { address: request.address, idempotency: request.idempotency }),
    ),
  ];
}

export function meRoutes(accounts: Accounts): Route[] {
  const { profiles, sessions, avatars, departure } = accounts;
  return [
    route(api.me.get, (_call, viewer) => profiles.account(viewer.accountId)),
    route(api.me.update, ({ body, request }, viewer) =>
      profiles.update(viewer.accountId, body, request.idempotency),
    ),
    route(api.me.putAvatar, ({ request }, viewer) => {
      if (!request.raw.body) throw new AppError('image-unreadable');
      return avatars.put(viewer.accountId, request.raw.body, {
        signal: request.signal,
        idempotency: request.idempotency,
      });
    }),
    route(api.me.deleteAvatar, ({ request }, viewer) =>
      avatars.delete(viewer.accountId, request.idempotency),
    ),
    route(api.me.sessions, ({ query }, viewer) => sessions.list(viewer, query)),
    route(api.me.revokeSession, ({ params, request }, viewer) =>
      sessions.revoke(viewer, params.id, request.idempotency),
    ),
    route(api.me.export, async (_call, viewer) => {
      const headers = {
        'content-type': 'application/zip',
        'content-disposition': 'attachment; filename="h-video-export.zip"',
        'cache-control': 'no-store',
      };
      return new Response(departure.export(viewer), { headers });
    }),
    route(api.me.delete, async ({ body, request, reply }, viewer) => {
      await departure.delete(viewer, body.password, request.address);
      clearSessionCookies(reply.headers);
    }),
  ];
}

export function instanceRoutes(accounts: Accounts, facts: InstanceFacts): Route[] {
  const { registration, invitations, administration, profiles } = accounts;
  const hand = handover(accounts);
  const anybody = (reference: string) => profiles.resolve(reference, { includeSuspended: true });
  return [
    route(api.instance.get, async ({ request }) => {
      const state = await registration.instance();
      return { ...state, ...facts, setupCodeRequired: state.setupRequired && !isLoopback(request.address) };
    }),
    route(api.instance.setup, async (call) => {
      const caller = {
        address: call.request.address,
        userAgent: call.request.userAgent,
        local: isLoopback(call.request.address),
      };
      return hand(await registration.setup(call.body, caller), call.body.session, call);
    }),
    route(api.instance.invitations, ({ query }) => invitations.list(query)),
    route(api.instance.invite, ({ body, request }, viewer) =>
      invitations.create(viewer, body, request.idempotency),
    ),
    route(api.instance.revokeInvitation, ({ params, request }) =>
      invitations.revoke(params.code, request.idempotency),
    ),
    route(api.instance.suspend, async ({ params, body, request }, viewer) => {
      const suspension = { reason: body.reason, until: body.until === null ? null : new Date(body.until) };
      await administration.suspend(viewer, await anybody(params.id), suspension, request.idempotency);
    }),
    route(api.instance.unsuspend, async ({ params, request }, viewer) =>
      administration.unsuspend(viewer, await anybody(params.id), request.idempotency),
    ),
    route(api.instance.setRole, async ({ params, body, request }) =>
      administration.setRole(await anybody(params.id), body.role, request.idempotency),
    ),
  ];
}
