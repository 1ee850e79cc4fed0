import { AppError } from '../../kernel/errors.ts';

export const accessCookie = 'hvideo_session';
export const refreshCookie = 'hvideo_refresh';

/** The access token of a request: the header wins over the cookie. */
export function accessTokenOf(request: Request): string | undefined {
  const header = request.headers.get('authorization');
  if (header === null) return cookieOf(request, accessCookie) || undefined;
  const space = header.indexOf(' ');
  const end = header.indexOf(' ', space + 1);
  const token = header.slice(space + 1, end < 0 ? undefined : end);
  if (space < 0 || !token || header.slice(0, space).toLowerCase() !== 'bearer')
    throw new AppError('token-invalid');
  return token;
}

export function cookieOf(request: Request, name: string): string | undefined {
  const header = request.headers.get('cookie');
  if (header === null) return undefined;
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}

/**
 * Refuses a write that another site made the browser send. Browsers name the origin on every write; programs that send
 * no `Origin` hold no ambient cookies to misuse, and a Bearer token is never sent by itself. `isAllowed`: a site that was
 * named in the settings may also write without a token, such as to log in, but never with our cookies.
 */
export function refuseCrossOrigin(
  request: Request,
  publicOrigin: string | undefined,
  isAllowed: (origin: string) => boolean = () => false,
): void {
  if (request.method === 'GET' || request.method === 'HEAD' || request.headers.has('authorization')) return;
  if (!isForeign(request, publicOrigin)) return;
  const origin = request.headers.get('origin') ?? '';
  const carriesSession = [accessCookie, refreshCookie].some((name) => cookieOf(request, name) !== undefined);
  if (isAllowed(origin) && !carriesSession) return;
  throw new AppError('cross-origin');
}

/** A page of another site has made the request. Programs name no origin. */
export function isForeign(request: Request, publicOrigin: string | undefined): boolean {
  const origin = request.headers.get('origin');
  if (origin === null) return false;
  const host = request.headers.get('host');
  return origin !== publicOrigin && origin !== `http://${host}` && origin !== `https://${host}`;
}

/** The client's address: with N trusted proxies in front, the Nth entry of X-Forwarded-For from the right. */
export function addressOf(request: Request, socketAddress: string, trustedProxies: number): string {
  if (trustedProxies === 0) return socketAddress;
  const hops = (request.headers.get('x-forwarded-for') ?? '').split(',').map((hop) => hop.trim());
  return hops.at(-trustedProxies) || socketAddress;
}
