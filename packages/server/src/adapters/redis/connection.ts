import { createHash } from 'node:crypto';
import { createClient, createCluster, RESP_TYPES } from '@redis/client';
import type { Logger } from 'pino';
import { AppError } from '../../kernel/errors.ts';
import { withPatience } from './patience.ts';

export interface RedisOptions {
  /** `redis://` or `rediss://`: one server, or any nodes of a Redis Cluster, from which the others are found. */
  readonly urls: readonly string[];
  /** How long one call may take before it counts as failed. */
  readonly timeoutMs?: number;
  readonly log: Logger;
}

/** What this project sends: plain commands and scripts. Replies are Buffers and numbers. */
interface Commands {
  eval(script: string, options: ScriptOptions): Promise<unknown>;
  evalSha(sha: string, options: ScriptOptions): Promise<unknown>;
  set(key: string, value: Buffer, options: { PX: number }): Promise<unknown>;
  get(key: string): Promise<unknown>;
  del(key: string): Promise<unknown>;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

interface ScriptOptions {
  keys: string[];
  arguments: (string | Buffer)[];
}

export interface ScriptCall {
  readonly keys: string[];
  readonly args: (string | Buffer)[];
}

const defaultTimeoutMs = 250;
/** Calls waiting for a server that hangs; beyond it they fail at once. */
const maxQueuedCalls = 50_000;

/**
 * A connection that fails fast: while the server is away a call is refused at once instead of being queued, and none
 * waits longer than `timeoutMs`. It reconnects by itself for ever.
 */
export class RedisConnection implements AsyncDisposable {
  readonly timeoutMs: number;
  /** Keys of one script have to share a slot. */
  readonly isCluster: boolean;
  readonly #commands: Commands;
  readonly #shas = new Map<string, string>();
  readonly #isReady: () => boolean;
  #isClosed = false;

  private constructor({ commands, isReady, isCluster }: Server, timeoutMs: number) {
    this.#commands = commands;
    this.timeoutMs = timeoutMs;
    this.isCluster = isCluster;
    this.#isReady = isReady;
  }

  /** Throws `timeout` when the server cannot be reached now. */
  static async open(options: RedisOptions): Promise<RedisConnection> {
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const server = (await isCluster(options)) ? clusterOf(options) : singleOf(options);
    const { commands } = server;
    // An error here is one of the connection; the calls that it hits fail by themselves.
    commands.on('error', (error) => options.log.debug({ error: error.message }, 'redis connection'));
    const connection = new RedisConnection(server, timeoutMs);
    try {
      await connection.#within(5_000, commands.connect());
    } catch (error) {
      commands.destroy();
      throw error;
    }
    return connection;
  }

  get isReady(): boolean {
    return !this.#isClosed && this.#isReady();
  }

  async script(text: string, keys: string[], args: (string | Buffer)[]): Promise<unknown> {
    return this.#within(this.timeoutMs, this.#evaluate(text, { keys, args }));
  }

  /** Many calls of one script, each on keys of one slot, in one round trip to each server. Fails when one of them does. */
  async scripts(text: string, calls: readonly ScriptCall[]): Promise<unknown[]> {
    return this.#within(this.timeoutMs, Promise.all(calls.map((call) => this.#evaluate(text, call))));
  }

  async #evaluate(text: string, { keys, args }: ScriptCall): Promise<unknown> {
    const options = { keys, arguments: args };
    try {
      return await this.#commands.evalSha(this.#shaOf(text), options);
    } catch (error) {
      // The server has not seen this script since its start.
      if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
        return this.#commands.eval(text, options);
      throw error;
    }
  }

  set(key: string, value: Uint8Array, forMs: number): Promise<unknown> {
    return this.#within(this.timeoutMs, this.#commands.set(key, bufferOf(value), { PX: Math.ceil(forMs) }));
  }

  async get(key: string): Promise<Buffer | undefined> {
    const reply = await this.#within(this.timeoutMs, this.#commands.get(key));
    return reply instanceof Buffer ? reply : undefined;
  }

  del(key: string): Promise<unknown> {
    return this.#within(this.timeoutMs, this.#commands.del(key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#commands.destroy();
  }

  #shaOf(text: string): string {
    const known = this.#shas.get(text);
    if (known) return known;
    const sha = createHash('sha1').update(text).digest('hex');
    this.#shas.set(text, sha);
    return sha;
  }

  /** Whatever goes wrong with the server is `timeout`: nothing else can be done about it than to go without. */
  #within<T>(ms: number, call: Promise<T>): Promise<T> {
    return withPatience(ms, call, unreachable);
  }
}

export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const unreachable = (cause: unknown) =>
  new AppError('timeout', { detail: 'The Redis server cannot be reached', cause });

/** Between 50 ms and 1 s, with jitter, so that all nodes do not come back in the same instant. */
export const reconnectDelayMs = (retries: number) =>
  Math.min(1_000, 50 * 2 ** Math.min(retries, 5)) * (0.5 + Math.random() / 2);

const common = {
  disableOfflineQueue: true,
  commandsQueueMaxLength: maxQueuedCalls,
  pingInterval: 1_000,
} as const;

const bytesReplies = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } as const;

// A server that says nothing for 5 s, not even to a ping, is given up, and the connection made anew.
const socket = { connectTimeout: 2_000, socketTimeout: 5_000, reconnectStrategy: reconnectDelayMs };

/** Asks the first address that answers; throws `timeout` when none does. */
async function isCluster({ urls, log }: RedisOptions): Promise<boolean> {
  let lastError: unknown = new Error('no address');
  for (const url of urls) {
    const client = createClient({ url, socket: { connectTimeout: 2_000, reconnectStrategy: false } });
    // What it says comes out of `connect` or the command as well.
    client.on('error', (error: Error) => log.debug({ error: error.message }, 'redis connection'));
    try {
      await client.connect();
      return String(await client.info('cluster')).includes('cluster_enabled:1');
    } catch (error) {
      lastError = error;
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
  throw unreachable(lastError);
}

interface Server {
  readonly commands: Commands;
  readonly isReady: () => boolean;
  readonly isCluster: boolean;
}

function singleOf({ urls }: RedisOptions): Server {
  const client = createClient({ ...common, url: urls[0] ?? '', socket, commandOptions: bytesReplies });
  return { commands: client, isReady: () => client.isReady, isCluster: false };
}

function clusterOf({ urls }: RedisOptions): Server {
  const cluster = createCluster({
    rootNodes: urls.map((url) => ({ url })),
    defaults: { ...common, socket },
    commandOptions: bytesReplies,
  });
  return { commands: cluster, isReady: () => cluster.isOpen, isCluster: true };
}
