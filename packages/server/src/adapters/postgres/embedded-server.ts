import { readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { type Random, systemRandom } from '../../kernel/random.ts';
import { type Cluster, markerOf, openCluster, SUPERUSER } from './cluster.ts';
import type { DataLock } from './data-lock.ts';
import { type Launcher, openLauncher, type PostgresProcess, removeMountPoint } from './launcher.ts';
import { findNativeFiles } from './native-files.ts';
import { stopCluster } from './processes.ts';
import { LogTail } from './server-log.ts';
import { StartError } from './start-error.ts';

export interface EmbeddedServer extends AsyncDisposable {
  /** Stays the same while the server runs, also over a restart of the child. */
  readonly url: string;
  readonly version: string;
  /** Fast shutdown: open transactions are rolled back, everything acknowledged is on disk. */
  stop(): Promise<void>;
}

export interface EmbeddedServerOptions {
  /** Proves that no other living process owns this data folder, so that a postmaster found there is an orphan. */
  readonly lock: DataLock;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Tests only: a power failure may then destroy the data. */
  readonly fsync?: boolean;
  /** Called when the child has died by itself, after it serves again, or when it cannot be brought back. */
  readonly onChange?: (change: ServerChange) => void;
}

export type ServerChange = 'died' | 'restarted' | 'given-up';

/** The whole start, recovery included: a crash leaves at most `max_wal_size` to replay. */
const START_DEADLINE_MS = 120_000;
const PORT_TRIES = 5;
const RESTART_TRIES = 8;
const STEADY_MS = 60_000;
const ORPHAN_DEADLINES = { fastMs: 4_000, immediateMs: 3_000, killMs: 5_000 };
const STOP_DEADLINES = { fastMs: 20_000, immediateMs: 5_000, killMs: 5_000 };

export async function startEmbeddedPostgres(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const clock = options.clock ?? systemClock;
  const native = await findNativeFiles();
  const cluster = await openCluster(options.lock.dataDir, native, clock);
  const launcher = await openLauncher(native.dir, cluster.home, cluster.marker);
  const server = new ChildServer(options, clock, cluster, launcher, native.version);
  try {
    await server.start();
  } catch (error) {
    await launcher[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** Ends the PostgreSQL that a killed process left in this folder, if there is one. */
export async function stopOrphan({ dataDir }: DataLock, clock = systemClock): Promise<void> {
  const home = join(dataDir, 'postgres');
  if (!(await stat(home).catch(() => undefined))) return;
  const marker = await markerOf(home);
  if (!(await stopCluster(marker, ORPHAN_DEADLINES, clock))) throw immortal(home);
  await removeMountPoint(marker);
}

function immortal(home: string): StartError {
  return new StartError(
    `processes of an earlier PostgreSQL in ${home} cannot be ended`,
    'End the processes of the user hvideo-pg or of yours that are called postgres, then start again.',
  );
}

class ChildServer implements EmbeddedServer {
  readonly version: string;
  #port = 0;
  #stopping: Promise<void> | undefined;
  readonly #ended = new AbortController();
  readonly #options: EmbeddedServerOptions;
  readonly #clock: Clock;
  readonly #cluster: Cluster;
  readonly #launcher: Launcher;
  #revival: Promise<void> | undefined;

  constructor(
    options: EmbeddedServerOptions,
    clock: Clock,
    cluster: Cluster,
    launcher: Launcher,
    version: string,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#cluster = cluster;
    this.#launcher = launcher;
    this.version = version;
  }

  get url(): string {
    return `postgres://${SUPERUSER}:${this.#cluster.password}@127.0.0.1:${this.#port}/postgres?sslmode=disable`;
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      // Another process may take the port between our look and PostgreSQL's bind: then try another.
      this.#port = await freePort();
      const outcome = await this.#launch();
      if (outcome === 'serving') return;
      if (outcome.portTaken && attempt < PORT_TRIES) continue;
      throw new StartError(
        `PostgreSQL did not start in ${this.#cluster.home}: ${outcome.complaint}`,
        'See the log above; `hvideo doctor` checks the disk and the folder.',
      );
    }
  }

  /** Clears away what an earlier run left, starts the child and waits until it serves. */
  async #launch(): Promise<'serving' | { portTaken: boolean; complaint: string }> {
    const { marker, home } = this.#cluster;
    if (!(await stopCluster(marker, ORPHAN_DEADLINES, this.#clock))) throw immortal(home);
    // Nobody runs this cluster now, whatever lives under the process id that a dead postmaster noted.
    await rm(join(home, 'cluster', 'postmaster.pid'), { force: true });
    const startedAtMs = this.#clock.monotonicMs();
    const child = this.#launcher.spawn('postgres', [
      ...['-D', join(this.#launcher.home, 'cluster')],
      ...Object.entries(this.#settings()).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    const tail = new LogTail(this.#options.log, this.#clock);
    const drained = Promise.all([tail.follow(child.stderr), tail.follow(child.stdout)]);
    if (await this.#served(child)) {
      const ms = Math.round(this.#clock.monotonicMs() - startedAtMs);
      this.#options.log.debug({ pid: child.pid, port: this.#port, ms }, 'PostgreSQL serves');
      this.#watch(child);
      return 'serving';
    }
    await stopCluster(marker, ORPHAN_DEADLINES, this.#clock);
    await drained;
    const complaint = tail.text();
    return { complaint, portTaken: /could not bind|could not create any TCP/.test(complaint) };
  }

  #settings(): Record<string, string | number> {
    return {
      cluster_name: this.#cluster.marker,
      listen_addresses: '127.0.0.1',
      port: this.#port,
      unix_socket_directories: '',
      max_connections: 100,
      shared_buffers: '128MB',
      wal_level: 'logical',
      // Small, because it bounds how long recovery takes after a crash.
      max_wal_size: '256MB',
      // A change feed that has stopped reading must not fill the disk: past this it starts from a snapshot.
      max_slot_wal_keep_size: '2GB',
      fsync: this.#options.fsync === false ? 'off' : 'on',
      synchronous_commit: 'on',
      // Statements are short and the cores are shared with everything else on this machine.
      max_parallel_workers_per_gather: 0,
      jit: 'off',
      random_page_cost: 1.1,
      timezone: 'UTC',
      log_timezone: 'UTC',
      // Errors of statements go to the caller, who logs them without their data.
      log_min_messages: 'log',
      log_parameter_max_length: 0,
      log_line_prefix: '',
      log_checkpoints: 'off',
    };
  }

  /** The postmaster says so in its pid file, which is where pg_ctl looks as well. */
  async #served(child: PostgresProcess): Promise<boolean> {
    const pidFile = join(this.#cluster.home, 'cluster', 'postmaster.pid');
    const deadline = this.#clock.monotonicMs() + START_DEADLINE_MS;
    while (child.exitCode === null && child.signalCode === null) {
      if (this.#clock.monotonicMs() > deadline) return false;
      const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
      if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true;
      await this.#clock.sleep(5);
    }
    return false;
  }

  #watch(child: PostgresProcess): void {
    const sinceMs = this.#clock.monotonicMs();
    child.exited.then((status) => {
      if (this.#stopping) return;
      this.#options.log.error({ status, signal: child.signalCode }, 'PostgreSQL died: starting it again');
      this.#options.onChange?.('died');
      const steady = this.#clock.monotonicMs() - sinceMs > STEADY_MS;
      this.#revival = this.#revive(steady ? 0 : this.#recentDeaths + 1);
    });
  }

  #recentDeaths = 0;

  async #revive(recentDeaths: number): Promise<void> {
    this.#recentDeaths = recentDeaths;
    const random = this.#options.random ?? systemRandom;
    for (let attempt = recentDeaths; attempt < RESTART_TRIES; attempt++) {
      try {
        if (attempt > 0) {
          const ceilingMs = Math.min(5_000, 100 * 2 ** attempt);
          await this.#clock.sleep(random.integer(ceilingMs) + 1, { signal: this.#ended.signal });
        }
        const outcome = await this.#launch();
        if (outcome === 'serving') {
          this.#options.onChange?.('restarted');
          return;
        }
        this.#options.log.error({ complaint: outcome.complaint }, 'PostgreSQL did not start again');
      } catch (error) {
        if (this.#stopping) return;
        this.#options.log.error({ err: error }, 'PostgreSQL did not start again');
      }
    }
    this.#options.onChange?.('given-up');
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async #end(): Promise<void> {
    this.#ended.abort();
    await this.#revival;
    if (!(await stopCluster(this.#cluster.marker, STOP_DEADLINES, this.#clock))) {
      this.#options.log.error({ marker: this.#cluster.marker }, 'PostgreSQL cannot be ended');
      return;
    }
    await this.#launcher[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address && typeof address === 'object') resolve(address.port);
        else reject(new Error('the operating system gave no port'));
      });
    });
  });
}
