/**
 * Accounts: who somebody is, how they prove it, and what they may do.
 *
 *     const accounts = await createAccounts({ db, ids, clock, random, codeSender, media, transcoder, jobs, ... });
 *     accounts.departure.accountParts.push(...)   // what other features keep about people
 *     accounts.authentication.verifyAccessToken   // for the transport
 */
import { MacKeys } from '../../kernel/mac.ts';
import { Administration } from './administration.ts';
import { Attempts } from './attempts.ts';
import { Authentication } from './authentication.ts';
import { Avatars, deleteFiles } from './avatars.ts';
import { Departure } from './departure.ts';
import { Invitations } from './invitations.ts';
import { Login } from './login.ts';
import { PasswordHasher } from './passwords.ts';
import { PhoneCodes } from './phone-codes.ts';
import { Profiles } from './profiles.ts';
import { Registration } from './registration.ts';
import { Sessions } from './sessions.ts';
import { AccessTokens } from './tokens.ts';
import type { AccountDeps } from './types.ts';

export { addressKey, isLoopback } from './addresses.ts';
export type { Tokens } from './sessions.ts';
export { toUser, type UserColumns } from './store.ts';
export type {
  AccountDeps,
  AccountKeys,
  AccountPart,
  AccountSettings,
  AfterCommit,
  Caller,
  Viewer,
} from './types.ts';

export type Accounts = Awaited<ReturnType<typeof createAccounts>>;

export async function createAccounts(deps: AccountDeps) {
  const { db, clock, jobs, media, keys, settings } = deps;
  const macs = new MacKeys(keys.refreshToken);
  const tokens = await AccessTokens.load({ clock, ttlMs: settings.accessTokenTtlMs, keys: keys.jwt });
  const attempts = new Attempts(clock, settings.limits);
  const passwords = new PasswordHasher();
  const authentication = new Authentication({ db, clock, tokens });
  const sessions = new Sessions(deps, tokens, macs, authentication);
  const codes = new PhoneCodes(deps, macs, attempts);
  const invitations = new Invitations(deps);
  const profiles = new Profiles(deps);
  const login = new Login(deps, { attempts, passwords, codes, sessions, authentication });
  jobs.handle(deleteFiles, async ({ payload: { keyOrPrefix }, signal }) => {
    if (keyOrPrefix.endsWith('/')) await media.deletePrefix(keyOrPrefix, { signal });
    else await media.delete(keyOrPrefix, { signal });
  });
  jobs.schedule('accounts-expire', '17 * * * *', async () => {
    const now = new Date(clock.nowMs());
    await db.sql`delete from session where expires_at < ${now}`;
    await db.sql`delete from phone_code where expires_at < ${now}`;
    await db.sql`delete from invitation where expires_at < ${now}`;
    await db.sql`delete from retired_username where until < ${now}`;
  });
  return {
    authentication,
    sessions,
    codes,
    invitations,
    profiles,
    login,
    registration: new Registration(deps, { macs, passwords, codes, sessions, invitations }),
    administration: new Administration(deps, { passwords, sessions, authentication }),
    avatars: new Avatars(deps, profiles),
    departure: new Departure(deps, { attempts, authentication, login, profiles, sessions }),
  };
}
