import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';
import { InvalidSettings, readRawSettings } from './env.ts';
import { problemOfKeys } from './secrets.ts';

export { InvalidSettings } from './env.ts';

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const path = z
  .string()
  .min(1)
  .transform((value) => (isAbsolute(value) ? value : resolve(value)));
const redisUrls = z
  .string()
  .transform((value) => value.split(',').map((url) => url.trim()))
  .pipe(z.array(z.url({ protocol: /^rediss?$/ })).min(1));

const originSchema = z
  .string()
  .refine(
    (value) => URL.canParse(value) && new URL(value).origin === value && value !== 'null',
    'must be an origin such as https://app.example, without a path',
  );

/** What processes can be told to do; one alone does it all. */
export const roles = ['api', 'gateway', 'chat', 'worker', 'indexer'] as const;
export type Role = (typeof roles)[number];

/** Every setting: its name, what it must be, its default and what it does. `docs/operating/settings.md` is made from it. */
export const settingSpecs = {
  HVIDEO_HOST: { schema: z.string().min(1), default: '127.0.0.1', about: 'Address to listen on' },
  HVIDEO_PORT: { schema: whole(0, 65_535), default: '8080', about: 'Port to listen on; 0 picks a free one' },
  HVIDEO_DATA: { schema: path, default: './data', about: 'Folder for the database, media and keys' },
  HVIDEO_ROLES: {
    schema: z
      .string()
      .transform((value) => [...new Set(value.split(',').map((role) => role.trim()))])
      .pipe(z.array(z.enum(roles, `must be some of ${roles.join(', ')}, separated by commas`)).min(1)),
    default: roles.join(','),
    about:
      'What this process does; can be chosen with `DATABASE_URL` and `REDIS_URL`, and each role has to run somewhere',
  },
  HVIDEO_PUBLIC_URL: {
    schema: z.url({ protocol: /^https?$/ }).transform((value) => value.replace(/\/$/, '')),
    default: undefined,
    about: 'The address people use, when a proxy stands in front; its origin is accepted for cookie sessions',
  },
  HVIDEO_NODE_URL: {
    schema: z.url({ protocol: /^wss?$/ }),
    default: undefined,
    about:
      'Where the chat’s clients reach this very process, past what stands before all, such as `wss://node1.example/ws`; told to those who have to leave another node',
  },
  HVIDEO_TRUSTED_PROXIES: {
    schema: whole(0, 10),
    default: '0',
    about: 'How many proxies stand in front and add to X-Forwarded-For',
  },
  HVIDEO_ALLOWED_ORIGINS: {
    schema: z
      .string()
      .transform((value) => value.split(',').map((origin) => origin.trim()))
      .pipe(z.array(z.union([z.literal('*'), originSchema])).min(1)),
    default: undefined,
    about:
      'Other sites whose scripts may call the API with a token, such as `https://app.example`; `*` for all',
  },
  HVIDEO_NAME: {
    schema: z.string().min(1).max(60),
    default: 'H-Video',
    about: 'Name of the community until the set-up gives one',
  },
  HVIDEO_REGISTRATION: {
    schema: z.enum(['open', 'invitation', 'closed']),
    default: 'open',
    about: 'Who may join',
  },
  HVIDEO_LOG_LEVEL: {
    schema: z.enum(['silent', 'error', 'warn', 'info', 'debug', 'trace']),
    default: 'info',
    about: 'How much is logged',
  },
  HVIDEO_LIMITS: {
    schema: flag,
    default: 'true',
    about: 'Limits on the rate of requests; off only for load tests',
  },
  HVIDEO_UPLOAD_MAX_BYTES: {
    schema: whole(1, 1024 ** 4),
    default: String(4 * 1024 ** 3),
    about: 'Largest file that may be uploaded',
  },
  HVIDEO_ACCOUNT_MAX_BYTES: {
    schema: whole(1, Number.MAX_SAFE_INTEGER),
    default: String(50 * 1024 ** 3),
    about: 'Room for the originals of one account',
  },
  HVIDEO_VIDEO_MAX_SECONDS: { schema: whole(1, 14_400), default: '600', about: 'Longest clip' },
  HVIDEO_TRANSCODE_CONCURRENCY: {
    schema: whole(1, 64),
    default: '1',
    about: 'Clips transcoded at once by one process',
  },
  HVIDEO_FFMPEG: {
    schema: path,
    default: undefined,
    about: 'The ffmpeg to use; by default the one on the PATH, or else the bundled one',
  },
  HVIDEO_FFPROBE: { schema: path, default: undefined, about: 'The ffprobe to use, likewise' },
  HVIDEO_ACCESS_TOKEN_SECONDS: {
    schema: whole(30, 86_400),
    default: '600',
    about: 'Life of an access token',
  },
  HVIDEO_SESSION_DAYS: {
    schema: whole(1, 3650),
    default: '60',
    about: 'A login ends after so many days without use',
  },
  HVIDEO_SHUTDOWN_SECONDS: {
    schema: whole(1, 600),
    default: '10',
    about: 'Requests under way may take so long after SIGTERM',
  },
  HVIDEO_KEYS: {
    schema: z.string().superRefine((text, context) => {
      const problem = problemOfKeys(text);
      if (problem !== undefined) context.addIssue(problem);
    }),
    default: undefined,
    about: 'The signing keys as JSON, for several nodes; by default kept in the data folder',
  },
  DATABASE_URL: {
    schema: z.url({ protocol: /^postgres(ql)?$/ }),
    default: undefined,
    about: 'A PostgreSQL 16 or newer to use in place of the embedded one',
  },
  REDIS_URL: {
    schema: redisUrls,
    default: undefined,
    about:
      'A Redis 6.2 or newer, or Valkey, that several processes share for caches, counters, timelines and what they announce to each other; any nodes of a cluster, separated by commas',
  },
  REDIS_STALE_URL: {
    schema: redisUrls,
    default: undefined,
    about:
      'Another one for values that are kept for a day, to be served marked as stale when the database fails; by default they lie beside the fresh ones',
  },
  HVIDEO_CHANGE_FEED: {
    schema: z.enum(['logical', 'outbox']),
    default: 'logical',
    about: 'How committed changes are followed: `outbox` where the database allows no replication slots',
  },
  HVIDEO_CHANGE_FEED_SLOT: {
    schema: z.string().regex(/^[a-z0-9_]{1,63}$/, 'must be lower case letters, digits and _'),
    default: 'hvideo_changes',
    about: 'Name of the replication slot: another one for each community on one database server',
  },
  HVIDEO_CACHE_BYTES: {
    schema: whole(1 << 20, 2 ** 40),
    default: String(256 << 20),
    about: 'Memory for what is cached',
  },
  HVIDEO_DATABASE_CONNECTIONS: {
    schema: whole(2, 200),
    default: '16',
    about: 'Largest number of database connections',
  },
} as const satisfies Record<string, { schema: z.ZodType; default: string | undefined; about: string }>;

export type SettingName = keyof typeof settingSpecs;

type Parsed = {
  readonly [Name in SettingName]: (typeof settingSpecs)[Name]['default'] extends string
    ? z.output<(typeof settingSpecs)[Name]['schema']>
    : z.output<(typeof settingSpecs)[Name]['schema']> | undefined;
};

export type Config = Parsed & {
  /** `embedded` owns its database and every role. */
  readonly profile: 'embedded' | 'cluster';
};

/** Reads all settings at once. `overrides` are the command line's, which win over everything. */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  overrides: Partial<Record<SettingName, string>> = {},
): Config {
  const names = Object.keys(settingSpecs) as SettingName[];
  const { values, faults } = readRawSettings(names, env, env['HVIDEO_CONFIG']);
  const parsed: Record<string, unknown> = {};
  for (const name of names) {
    const override = overrides[name];
    const raw = override === undefined ? values.get(name) : { value: override, source: 'the command line' };
    const text = raw?.value ?? settingSpecs[name].default;
    if (text === undefined) continue;
    const result = settingSpecs[name].schema.safeParse(text);
    if (result.success) parsed[name] = result.data;
    else
      faults.push({
        name,
        problem: `${describeIssues(result.error)} (from ${raw?.source ?? 'the default'})`,
      });
  }
  const profile = parsed['DATABASE_URL'] === undefined ? 'embedded' : 'cluster';
  const chosenRoles = parsed['HVIDEO_ROLES'] as readonly Role[] | undefined;
  const isShared = profile === 'cluster' && parsed['REDIS_URL'] !== undefined;
  if (!isShared && chosenRoles && chosenRoles.length < roles.length) {
    faults.push({
      name: 'HVIDEO_ROLES',
      problem: 'can be chosen only with DATABASE_URL and REDIS_URL: without them one process does everything',
    });
  }
  if (faults.length > 0) throw new InvalidSettings(faults);
  return { ...(parsed as Parsed), profile };
}

function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => issue.message).join(', ');
}
