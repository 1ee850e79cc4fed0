import { z } from 'zod';
import { Id, Locale, PageQuery, pageOf, Timestamp, text } from './common.ts';
import { endpoint } from './endpoint.ts';
import { UserId, UserProfile } from './users.ts';

export const USERNAME_PATTERN = /^[a-z0-9](?:[a-z0-9_]{1,28})[a-z0-9]$/;
export const PASSWORD_MIN = 8;
export const PASSWORD_MAX = 256;

export const Username = z
  .string()
  .transform((value) => value.trim().toLowerCase())
  .refine(
    (value) => USERNAME_PATTERN.test(value),
    '3 to 30 of a-z, 0-9 and _, with a letter or digit at both ends',
  );
export const Password = z.string().min(PASSWORD_MIN).max(PASSWORD_MAX);
export const DisplayName = text(1, 40);
export const Phone = z.e164();
export const Role = z.enum(['user', 'moderator', 'admin']);
export type Role = z.infer<typeof Role>;

/**
 * How the caller wants to stay signed in. `token`: both tokens in the answer. `cookie`: HttpOnly cookies, for the web
 * app; the answer then has no refresh token.
 */
export const SessionKind = z.enum(['token', 'cookie']).default('token');

/** One's own account. */
export const Account = UserProfile.extend({
  role: Role,
  phone: z.string().nullable(),
  locale: Locale.nullable(),
}).meta({ id: 'Account' });
export type Account = z.infer<typeof Account>;

export const AuthSession = z
  .object({
    user: Account,
    accessToken: z.string(),
    /** Absent for a cookie session. */
    refreshToken: z.string().optional(),
    /** Seconds until the access token expires. */
    expiresIn: z.int(),
  })
  .meta({ id: 'AuthSession' });
export type AuthSession = z.infer<typeof AuthSession>;

export const Session = z
  .object({
    id: Id,
    /** Such as "Chrome on Android", read from the user agent at log-in. */
    device: z.string(),
    address: z.string(),
    current: z.boolean(),
    createdAt: Timestamp,
    lastUsedAt: Timestamp,
  })
  .meta({ id: 'Session', description: 'A logged-in device' });
export type Session = z.infer<typeof Session>;

export const Invitation = z
  .object({
    code: z.string(),
    usesLeft: z.int(),
    createdAt: Timestamp,
    expiresAt: Timestamp,
  })
  .meta({ id: 'Invitation' });
export type Invitation = z.infer<typeof Invitation>;

const registration = {
  username: Username,
  password: Password,
  displayName: DisplayName.optional(),
  locale: Locale.optional(),
  session: SessionKind,
};

export const auth = {
  register: endpoint({
    method: 'POST',
    path: '/auth/register',
    tag: 'auth',
    summary: 'Join the community',
    access: 'public',
    limit: 'auth',
    body: z.object({
      ...registration,
      phone: Phone.optional(),
      phoneCode: z
        .string()
        .regex(/^\d{6}$/)
        .optional(),
      invitation: z.string().max(64).optional(),
    }),
    status: 201,
    response: AuthSession,
    problems: [
      'username-taken',
      'phone-taken',
      'bad-code',
      'weak-password',
      'registration-closed',
      'invitation-required',
      'invitation-invalid',
      'setup-required',
    ],
  }),
  login: endpoint({
    method: 'POST',
    path: '/auth/login',
    tag: 'auth',
    summary: 'Sign in by password, or by a code sent to the phone',
    access: 'public',
    limit: 'auth',
    body: z.union([
      z.object({
        login: z.string().min(1).max(64),
        password: z.string().min(1).max(PASSWORD_MAX),
        session: SessionKind,
      }),
      z.object({ phone: Phone, code: z.string().regex(/^\d{6}$/), session: SessionKind }),
    ]),
    status: 200,
    response: AuthSession,
    problems: ['bad-credentials', 'bad-code', 'suspended'],
  }),
  sendCode: endpoint({
    method: 'POST',
    path: '/auth/codes',
    tag: 'auth',
    summary: 'Send a log-in code to a phone; the answer does not say whether the number is known',
    access: 'public',
    limit: 'code',
    body: z.object({ phone: Phone, locale: Locale.optional() }),
    status: 202,
  }),
  refresh: endpoint({
    method: 'POST',
    path: '/auth/refresh',
    tag: 'auth',
    summary:
      'Change a refresh token for new tokens; a token used twice ends its login, unless the Idempotency-Key is the same',
    access: 'public',
    limit: 'auth',
    body: z.object({ refreshToken: z.string().max(500).optional() }),
    status: 200,
    response: AuthSession,
    problems: ['token-invalid', 'token-reused', 'suspended', 'cross-origin'],
  }),
  logout: endpoint({
    method: 'POST',
    path: '/auth/logout',
    tag: 'auth',
    summary: 'End this login',
    access: 'user',
    limit: 'write',
    status: 204,
  }),
  changePassword: endpoint({
    method: 'POST',
    path: '/auth/password',
    tag: 'auth',
    summary: 'Change the password and end all other logins',
    access: 'user',
    limit: 'auth',
    body: z.object({ currentPassword: z.string().max(PASSWORD_MAX), newPassword: Password }),
    status: 204,
    problems: ['bad-credentials', 'weak-password'],
  }),
};

export const me = {
  get: endpoint({
    method: 'GET',
    path: '/users/me',
    tag: 'account',
    summary: 'One’s own account',
    access: 'user',
    limit: 'read',
    status: 200,
    response: Account,
  }),
  update: endpoint({
    method: 'PATCH',
    path: '/users/me',
    tag: 'account',
    summary: 'Change the profile; absent fields stay',
    access: 'user',
    limit: 'write',
    body: z.object({
      displayName: DisplayName.optional(),
      bio: text(0, 300).optional(),
      locale: Locale.optional(),
      username: Username.optional(),
    }),
    status: 200,
    response: Account,
    problems: ['username-taken'],
  }),
  putAvatar: endpoint({
    method: 'PUT',
    path: '/users/me/avatar',
    tag: 'account',
    summary: 'Set the picture; any common image format, up to 10 MiB',
    access: 'user',
    limit: 'upload',
    rawBody: 'image/*',
    status: 200,
    response: Account,
    problems: ['image-unreadable', 'body-too-large'],
  }),
  deleteAvatar: endpoint({
    method: 'DELETE',
    path: '/users/me/avatar',
    tag: 'account',
    summary: 'Go back to the picture made from the name',
    access: 'user',
    limit: 'write',
    status: 204,
  }),
  sessions: endpoint({
    method: 'GET',
    path: '/users/me/sessions',
    tag: 'account',
    summary: 'Logged-in devices, the last used first',
    access: 'user',
    limit: 'read',
    query: PageQuery,
    status: 200,
    response: pageOf(Session),
  }),
  revokeSession: endpoint({
    method: 'DELETE',
    path: '/users/me/sessions/{id}',
    tag: 'account',
    summary: 'Log a device out',
    access: 'user',
    limit: 'write',
    params: z.object({ id: Id }),
    status: 204,
  }),
  export: endpoint({
    method: 'POST',
    path: '/users/me/export',
    tag: 'account',
    summary: 'All one’s own data as a zip archive: JSON and original files',
    access: 'user',
    limit: 'auth',
    status: 200,
    rawResponse: 'application/zip',
  }),
  delete: endpoint({
    method: 'DELETE',
    path: '/users/me',
    tag: 'account',
    summary: 'Delete the account and everything in it, for good',
    access: 'user',
    limit: 'auth',
    body: z.object({ password: z.string().max(PASSWORD_MAX) }),
    status: 204,
    problems: ['bad-credentials', 'last-admin'],
  }),
};

export const Instance = z
  .object({
    name: z.string(),
    version: z.string(),
    registration: z.enum(['open', 'invitation', 'closed']),
    /** True until the first admin exists: the web app then shows the set-up page. */
    setupRequired: z.boolean(),
    /** True when the set-up asks for the code that the server wrote to its log: the caller is on another machine. */
    setupCodeRequired: z.boolean(),
    demo: z.boolean(),
    limits: z.object({ uploadMaxBytes: z.int(), videoMaxMs: z.int() }),
  })
  .meta({ id: 'Instance' });
export type Instance = z.infer<typeof Instance>;

export const instance = {
  get: endpoint({
    method: 'GET',
    path: '/instance',
    tag: 'instance',
    summary: 'What this community is and allows',
    access: 'public',
    limit: 'read',
    status: 200,
    response: Instance,
  }),
  setup: endpoint({
    method: 'POST',
    path: '/instance/setup',
    tag: 'instance',
    summary: 'Make the first admin of an empty instance',
    access: 'public',
    limit: 'auth',
    body: z.object({
      ...registration,
      instanceName: text(1, 60).optional(),
      code: z.string().max(64).optional(),
    }),
    status: 201,
    response: AuthSession,
    problems: ['setup-done', 'weak-password', 'bad-code', 'username-taken'],
  }),
  invitations: endpoint({
    method: 'GET',
    path: '/invitations',
    tag: 'instance',
    summary: 'Invitations that still work',
    access: 'moderator',
    limit: 'read',
    query: PageQuery,
    status: 200,
    response: pageOf(Invitation),
  }),
  invite: endpoint({
    method: 'POST',
    path: '/invitations',
    tag: 'instance',
    summary: 'Make an invitation',
    access: 'moderator',
    limit: 'write',
    body: z.object({
      uses: z.int().min(1).max(1000).default(1),
      validDays: z.int().min(1).max(365).default(7),
    }),
    status: 201,
    response: Invitation,
  }),
  revokeInvitation: endpoint({
    method: 'DELETE',
    path: '/invitations/{code}',
    tag: 'instance',
    summary: 'Withdraw an invitation',
    access: 'moderator',
    limit: 'write',
    params: z.object({ code: z.string().max(64) }),
    status: 204,
  }),
  suspend: endpoint({
    method: 'PUT',
    path: '/users/{id}/suspension',
    tag: 'moderation',
    summary: 'Suspend an account: its logins end, its videos are hidden',
    access: 'moderator',
    limit: 'write',
    params: z.object({ id: UserId }),
    body: z.object({ reason: text(1, 500), until: Timestamp.nullable().default(null) }),
    status: 204,
    problems: ['forbidden'],
  }),
  unsuspend: endpoint({
    method: 'DELETE',
    path: '/users/{id}/suspension',
    tag: 'moderation',
    summary: 'End a suspension',
    access: 'moderator',
    limit: 'write',
    params: z.object({ id: UserId }),
    status: 204,
  }),
  setRole: endpoint({
    method: 'PUT',
    path: '/users/{id}/role',
    tag: 'moderation',
    summary: 'Make somebody a user, moderator or admin',
    access: 'admin',
    limit: 'write',
    params: z.object({ id: UserId }),
    body: z.object({ role: Role }),
    status: 204,
    problems: ['last-admin'],
  }),
};
