import { accessCookie, accessTokenOf, cookieOf, isForeign } from '../http/credentials.ts';
import type { UpgradeRules } from '../http/sockets.ts';

/** What an upgrade may be believed. */
export type Upgrade =
  | { readonly kind: 'foreign' }
  /** Without a token CONNECT has to bring one. */
  | { readonly kind: 'welcome'; readonly token: string | undefined };

/**
 * The access token of an upgrade: of the header, the address, or the cookie. A page of another site makes the browser send our
 * cookie too: it is not let in, unless the settings name it, and then the cookie counts for nothing.
 */
export function upgradeOf(request: Request, rules: UpgradeRules): Upgrade {
  const named = request.headers.has('authorization')
    ? accessTokenOf(request)
    : (new URL(request.url).searchParams.get('token') ?? undefined);
  const cookie = cookieOf(request, accessCookie) || undefined;
  const isOther = isForeign(request, rules.publicOrigin);
  const origin = request.headers.get('origin') ?? '';
  if (isOther && cookie !== undefined && named === undefined && !rules.allowsOrigin(origin))
    return { kind: 'foreign' };
  return { kind: 'welcome', token: named ?? (isOther ? undefined : cookie) };
}
