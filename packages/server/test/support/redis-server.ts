import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { eventually } from './eventually.ts';

export const redisServerPath = () => Bun.which('redis-server') ?? undefined;

/** A redis-server of its own, on a free port, in a folder of its own, to be killed and started again. */
export class TestRedis implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly #args: readonly string[];
  #process: ReturnType<typeof spawn> | undefined;

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#args = args;
  }

  static async start(args: readonly string[] = ['--appendonly', 'yes', '--appendfsync', 'everysec']) {
    const redis = new TestRedis(await freePort(), await mkdtemp(join(tmpdir(), 'hvideo-redis-')), args);
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Ready when it answers: it has then read its file. */
  async restart(): Promise<void> {
    this.#process = spawn(this.port, this.folder, this.#args);
    await eventually(() =>
      this.command('PING').then(
        () => true,
        () => false,
      ),
    );
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#process;
    if (!running) return;
    this.#process = undefined;
    running.kill(signal);
    await running.exited;
  }

  /** Resolves while it is rewriting its append-only file, which takes it seconds. */
  async beginRewriting(): Promise<void> {
    await this.command('CONFIG', 'SET', 'rdb-key-save-delay', '100000');
    await eventually(async () => {
      await this.command('BGREWRITEAOF').catch(() => {}); // one is under way, or about to begin
      return String(await this.command('INFO', 'persistence')).includes('aof_rewrite_in_progress:1');
    });
  }

  /** While it is down: it comes back with nothing. */
  async forgetFiles(): Promise<void> {
    await rm(this.folder, { recursive: true });
    await mkdir(this.folder);
  }

  /** One command on a connection of its own. */
  async command(...args: string[]): Promise<unknown> {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false, connectTimeout: 500 } });
    // The rejection of connect and of the command says the same.
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.sendCommand(args);
    } finally {
      if (client.isOpen) client.destroy();
    }
  }

  /** The append-only files as they are now; `putBack` makes them the present ones while the server is down. */
  async copyFiles(): Promise<{ putBack(): Promise<void> }> {
    const copy = `${this.folder}-copy`;
    await rm(copy, { recursive: true, force: true });
    await cp(this.folder, copy, { recursive: true });
    return {
      putBack: async () => {
        await rm(this.folder, { recursive: true });
        await cp(copy, this.folder, { recursive: true });
        await rm(copy, { recursive: true });
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
    await rm(`${this.folder}-copy`, { recursive: true, force: true });
  }
}

/** Three masters that share the slots, none with a replica. */
export async function startRedisCluster(): Promise<{ nodes: TestRedis[] } & AsyncDisposable> {
  const args = ['--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'no', '--save', ''];
  const nodes = await Promise.all([0, 1, 2].map(() => TestRedis.start(args)));
  const ranges = [
    [0, 5_460],
    [5_461, 10_922],
    [10_923, 16_383],
  ];
  for (const [index, node] of nodes.entries()) {
    await node.command('CLUSTER', 'ADDSLOTSRANGE', ...ranges[index]!.map(String));
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    if (index > 0) await node.command('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]!.port));
  }
  for (const node of nodes) {
    await eventually(async () => {
      const info = String(await node.command('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes('cluster_slots_assigned:16384');
    });
  }
  return {
    nodes,
    [Symbol.asyncDispose]: async () => {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}

function spawn(port: number, folder: string, args: readonly string[]) {
  const command = [redisServerPath() ?? 'redis-server', '--port', String(port), '--bind', '127.0.0.1'];
  return Bun.spawn([...command, '--dir', folder, '--save', '', ...args], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
}

/** Below 55,535, because a cluster node also listens 10,000 above its port. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    if (address === null || typeof address === 'string') throw new Error('no port');
    if (address.port < 55_000) return address.port;
  }
}
