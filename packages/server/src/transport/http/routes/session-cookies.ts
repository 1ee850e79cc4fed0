import { API_PREFIX } from '@hvideo/protocol';
import type { Tokens } from '../../../features/accounts/index.ts';
import { accessCookie, refreshCookie } from '../credentials.ts';

const refreshPath = `${API_PREFIX}/auth`;
const refreshMaxAgeSeconds = 400 * 86_400;

/** Cookies that scripts cannot read; the refresh token goes only where it is used. */
export function setSessionCookies(headers: Headers, request: Request, tokens: Tokens): void {
  const secure = isSecure(request) ? '; Secure' : '';
  headers.append(
    'set-cookie',
    `${accessCookie}=${tokens.accessToken}; Path=/; Max-Age=${tokens.expiresInSeconds}; HttpOnly; SameSite=Lax${secure}`,
  );
  headers.append(
    'set-cookie',
    `${refreshCookie}=${tokens.refreshToken}; Path=${refreshPath}; Max-Age=${refreshMaxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`,
  );
}

export function clearSessionCookies(headers: Headers): void {
  headers.append('set-cookie', `${accessCookie}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`);
  headers.append(
    'set-cookie',
    `${refreshCookie}=; Path=${refreshPath}; Max-Age=0; HttpOnly; SameSite=Strict`,
  );
}

function isSecure(request: Request): boolean {
  return request.url.startsWith('https:') || request.headers.get('x-forwarded-proto') === 'https';
}
