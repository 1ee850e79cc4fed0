import pg from 'pg';

export interface ReplicationOptions {
  readonly url: string;
  /** After this long without a word from us the server gives the connection up, and the slot free. */
  readonly deadAfterMs: number;
}

/** Receives what the server streams. `buffer` is valid only during the call. */
export interface StreamSink {
  data(buffer: Buffer, at: number): void;
  /** Everything that was committed before `walEnd` has been sent. */
  keepAlive(walEnd: bigint, mustReply: boolean): void;
}

const [DATA, KEEP_ALIVE] = [119, 107];
/** Length of the header of a data message: kind, start, end, time. */
const DATA_HEADER = 25;
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);
const POSTGRES_EPOCH_MICROSECONDS = 946_684_800_000_000n;

/** One connection that speaks the replication protocol (PostgreSQL manual, 54.4): SQL first, then the stream. */
export class ReplicationConnection {
  readonly #client: pg.Client;
  readonly #lost = new AbortController();
  #isPaused = false;
  #isStreaming = false;
  #onStreamEnd: (() => void) | undefined;

  private constructor(options: ReplicationOptions) {
    const dead = Math.ceil(options.deadAfterMs / 3_000);
    this.#client = new pg.Client({
      connectionString: options.url,
      application_name: 'hvideo-change-feed',
      connectionTimeoutMillis: 5_000,
      ...{ replication: 'database' },
      options: [
        `wal_sender_timeout=${options.deadAfterMs}`,
        `tcp_keepalives_idle=${dead}`,
        `tcp_keepalives_interval=${dead}`,
        'tcp_keepalives_count=2',
        'idle_session_timeout=0',
        'lock_timeout=2s',
        // The text forms that `values.ts` reads.
        ...[
          'datestyle=ISO',
          'timezone=UTC',
          'intervalstyle=postgres',
          'bytea_output=hex',
          'extra_float_digits=1',
        ],
      ]
        .map((setting) => `-c ${setting}`)
        .join(' '),
    });
    this.#client.on('error', (error) => this.#lost.abort(error));
    this.#client.on('end', () => this.#lost.abort(new Error('the replication connection was closed')));
  }

  static async open(options: ReplicationOptions): Promise<ReplicationConnection> {
    const connection = new ReplicationConnection(options);
    await connection.#client.connect();
    return connection;
  }

  /** Aborts when the connection is gone, with why. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** A statement without parameters: the replication protocol knows no others. */
  async query<R extends pg.QueryResultRow>(text: string): Promise<R[]> {
    const result = await this.#client.query<R>(text);
    return result.rows;
  }

  quote(text: string): string {
    return this.#client.escapeLiteral(text);
  }

  quoteName(name: string): string {
    return this.#client.escapeIdentifier(name);
  }

  stream(command: string, sink: StreamSink): void {
    this.#client.query({
      submit: (connection: pg.Connection) => connection.query(command),
      handleCopyData: ({ chunk }: { readonly chunk: Buffer }) => {
        // After its loss nothing more is taken in: what comes here will come again.
        if (this.#lost.signal.aborted || this.#onStreamEnd) return;
        try {
          receive(chunk, sink);
        } catch (error) {
          this.abort(error);
        }
      },
      handleError: (error: unknown) => this.abort(error),
      handleCommandComplete: () => {},
      handleReadyForQuery: () => {
        if (this.#onStreamEnd) this.#onStreamEnd();
        else this.abort(new Error('the server ended the stream'));
      },
    });
    this.#isStreaming = true;
  }

  /** Everything before `lsn` need not be sent again, on any connection. */
  confirm(lsn: bigint): void {
    const status = Buffer.allocUnsafe(39);
    status.write('d', 0);
    status.writeUInt32BE(38, 1);
    status.write('r', 5);
    for (const at of [6, 14, 22]) status.writeBigUInt64BE(lsn, at);
    status.writeBigInt64BE(BigInt(Date.now()) * 1000n - POSTGRES_EPOCH_MICROSECONDS, 30);
    status[38] = 0;
    const { stream } = this.#client.connection;
    if (stream.writable) stream.write(status);
  }

  /** Stops reading from the socket, so that the server has to wait. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#client.connection.stream.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#client.connection.stream.resume();
  }

  /** Cuts the connection at once. */
  abort(reason: unknown): void {
    this.#lost.abort(reason);
    this.#client.connection.stream.destroy();
  }

  /** Says goodbye, so that the server has read everything we sent, and waits until it has closed. */
  async close(deadlineMs: number): Promise<void> {
    const { stream } = this.#client.connection;
    const timer = setTimeout(() => stream.destroy(), deadlineMs);
    try {
      if (this.#isStreaming && !this.#lost.signal.aborted && stream.writable) {
        const ended = new Promise<void>((resolve) => {
          this.#onStreamEnd = resolve;
          this.#lost.signal.addEventListener('abort', () => resolve(), { once: true });
        });
        this.resume();
        stream.write(COPY_DONE);
        await ended;
      }
      await this.#client.end();
    } finally {
      clearTimeout(timer);
    }
  }
}

function receive(chunk: Buffer, sink: StreamSink): void {
  if (chunk[0] === DATA) sink.data(chunk, DATA_HEADER);
  else if (chunk[0] === KEEP_ALIVE) sink.keepAlive(chunk.readBigUInt64BE(1), chunk[17] === 1);
}
