import type { Locale, Role } from '@hvideo/protocol';
import type { Logger } from 'pino';
import type { Clock } from '../../kernel/clock.ts';
import type { CursorCodec } from '../../kernel/cursor.ts';
import type { MacKey } from '../../kernel/mac.ts';
import type { Random } from '../../kernel/random.ts';
import type { RateLimit } from '../../kernel/rate-limit.ts';
import type { CodeSender } from '../../ports/code-sender/port.ts';
import type { Database, Sql } from '../../ports/database/port.ts';
import type { JobQueue } from '../../ports/job-queue/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';
import type { TellOwnChanges } from '../../ports/own-changes/port.ts';
import type { Transcoder } from '../../ports/transcoder/port.ts';
import type { Counters } from '../counters/index.ts';

export interface IdSource {
  /** A new id, greater than those before it. */
  next(): string;
}

/** Newest first in each list: the first signs, all verify. */
export interface AccountKeys {
  /** Ed25519, PKCS #8. */
  readonly jwt: readonly { readonly kid: string; readonly privateKeyPem: string }[];
  readonly refreshToken: readonly MacKey[];
}

export interface AccountSettings {
  readonly registration: 'open' | 'invitation' | 'closed';
  readonly accessTokenTtlMs: number;
  /** A login ends after so long without a refresh. */
  readonly sessionIdleMs: number;
  /** Until the set-up gives one. */
  readonly instanceName: string;
  /** An empty instance is about to be filled with demo content: nobody is asked to set it up. */
  readonly demo: boolean;
  /** For avatars on their way; emptied as they go. */
  readonly temporaryDir: string;
  readonly limits?: Partial<AttemptLimits>;
}

/** For each process: a cluster of N nodes allows up to N times as much. */
export interface AttemptLimits {
  /** Guesses at one account from one address. */
  readonly loginPair: RateLimit;
  /** Guesses at one account from everywhere: high, so that a stranger cannot easily lock its owner out. */
  readonly loginAccount: RateLimit;
  readonly loginAddress: RateLimit;
  readonly codePhone: RateLimit;
  readonly codeAddress: RateLimit;
  readonly export: RateLimit;
}

export interface AccountDeps {
  readonly db: Database;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly codeSender: CodeSender;
  readonly media: MediaStore;
  readonly transcoder: Transcoder;
  readonly jobs: JobQueue;
  readonly cursors: CursorCodec;
  readonly counters: Pick<Counters, 'read'>;
  readonly tell: TellOwnChanges;
  readonly keys: AccountKeys;
  readonly settings: AccountSettings;
  readonly log: Logger;
}

/** Who is calling, as proven by a valid access token. */
export interface Viewer {
  readonly accountId: string;
  readonly role: Role;
  readonly sessionId: string;
}

/** Where a request for a login comes from. */
export interface Caller {
  readonly address: string;
  readonly userAgent: string;
}

export interface NewAccount {
  readonly username: string;
  /** Null: nobody can log in by password. */
  readonly password: string | null;
  readonly displayName?: string | undefined;
  readonly bio?: string | undefined;
  readonly locale?: Locale | undefined;
  readonly phone?: string | undefined;
  readonly role?: Role | undefined;
}

/**
 * A feature's share of an account's data: deletion and export are composed of these, so that a feature that keeps
 * something about people cannot be forgotten by the one that lets them go.
 */
export type AfterCommit = () => void | Promise<void>;

export interface AccountPart {
  readonly name: string;
  /**
   * `body`: a Blob is copied as it is; an async iterable becomes a JSON array, written as it comes; anything else
   * becomes JSON. Paths are unique over all parts.
   */
  exportData(accountId: string): AsyncIterable<{ readonly path: string; readonly body: unknown }>;
  /**
   * Runs in the transaction that deletes the account, which holds the account's row FOR UPDATE: what takes FOR KEY
   * SHARE on it (every insert that references it) is over or waits. Files are left to a job enqueued here. What is
   * given to `afterCommit` runs when that transaction has committed, and is over before the answer; it must not fail.
   */
  erase(tx: Sql, accountId: string, afterCommit: (run: AfterCommit) => void): Promise<void>;
}
