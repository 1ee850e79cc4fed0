import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliProcess, hvideo, readyUrl } from './cli.ts';
import { type TestDatabase, testDatabase } from './database.ts';
import { TestRedis } from './redis-server.ts';

export interface ClusterOptions {
  /** Arguments of the Redis server. */
  readonly redis: readonly string[];
  readonly env?: ((node: number) => Readonly<Record<string, string>>) | undefined;
}

/** Two processes of the program that share a database, a Redis and a folder. */
export class Cluster implements AsyncDisposable {
  readonly shared: TestDatabase;
  readonly redis: TestRedis;
  readonly nodes: readonly CliProcess[];
  readonly urls: readonly string[];
  readonly #folder: string;

  private constructor(
    shared: TestDatabase,
    redis: TestRedis,
    nodes: readonly CliProcess[],
    { folder, urls }: { readonly folder: string; readonly urls: readonly string[] },
  ) {
    this.shared = shared;
    this.redis = redis;
    this.nodes = nodes;
    this.urls = urls;
    this.#folder = folder;
  }

  static async start({ redis: args, env }: ClusterOptions): Promise<Cluster> {
    const shared = await testDatabase();
    const redis = await TestRedis.start(args);
    const folder = await mkdtemp(join(tmpdir(), 'hvideo-cluster-'));
    const nodes = [0, 1].map((node) =>
      hvideo(['serve', '--data', folder, '--port', '0'], {
        timeoutMs: 170_000,
        env: {
          DATABASE_URL: shared.url,
          REDIS_URL: redis.url,
          HVIDEO_CHANGE_FEED: 'outbox',
          HVIDEO_LIMITS: 'false',
          HVIDEO_DATABASE_CONNECTIONS: '6',
          ...env?.(node),
        },
      }),
    );
    return new Cluster(shared, redis, nodes, { folder, urls: await Promise.all(nodes.map(readyUrl)) });
  }

  /** Throws when a process did not end well. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node.kill('SIGTERM');
    const codes = await Promise.all(this.nodes.map(({ exited }) => exited));
    await this.redis[Symbol.asyncDispose]();
    await this.shared[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
    if (codes.some((code) => code !== 0)) throw new Error(`processes ended with ${codes.join(' and ')}`);
  }
}
