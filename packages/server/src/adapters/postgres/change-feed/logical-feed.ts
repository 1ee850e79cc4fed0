import type { ChangeFeed } from '../../../ports/change-feed/port.ts';
import { PgOutputReader } from './pgoutput.ts';
import { ReplicationConnection } from './replication-connection.ts';
import { prepareSlot, readSlot } from './slot.ts';
import { DEFAULT_MAX_LAG_BYTES, type FeedOptions, SupervisedFeed } from './supervised-feed.ts';
import { type QueuedPart, TransactionQueue } from './transaction-queue.ts';
import { untilVisibleIn, type WaitUntilVisible } from './visibility.ts';

export interface LogicalFeedOptions extends FeedOptions {
  /** Lower case letters, digits and underscores. Unique in the server, not only in the database. */
  readonly slot?: string;
  readonly publication?: string;
  /** Received and not handled yet; beyond it the server has to wait. */
  readonly maxBufferedBytes?: number;
  /** After this long without a sign of life the server gives the slot to another process. */
  readonly deadAfterMs?: number;
  readonly sampleMs?: number;
  /** Tests only: what happens without the wait. */
  readonly waitUntilVisible?: WaitUntilVisible;
}

const MAX_BUFFERED_BYTES = 16 << 20;
const DEAD_AFTER_MS = 15_000;
const SAMPLE_MS = 2_000;
/**
 * From the begin of one batch to the next while little waits: each costs some statements and messages, however few rows it
 * holds, and what this process has written itself is known to its caches already.
 */
const PACE_MS = 20;
const MUCH_BYTES = 256 << 10;
const CLOSE_CONNECTION_MS = 2_000;
/** Of the advisory lock that the leader holds on its replication connection; the second key is the slot's. */
const LEADER_LOCK = 1_212_371_783;

/** ChangeFeed by logical replication: one slot, decoded by pgoutput. */
export function openLogicalChangeFeed(options: LogicalFeedOptions): ChangeFeed {
  return new LogicalFeed(options);
}

class LogicalFeed extends SupervisedFeed {
  readonly #options: LogicalFeedOptions;
  readonly #slot: string;
  readonly #publication: string;
  readonly #waitUntilVisible: WaitUntilVisible;
  #queue: TransactionQueue | undefined;

  constructor(options: LogicalFeedOptions) {
    super(options);
    this.#options = options;
    this.#slot = options.slot ?? 'hvideo_changes';
    this.#publication = options.publication ?? 'hvideo_changes';
    if (!/^[a-z0-9_]{1,63}$/.test(this.#slot)) throw new Error(`not the name of a slot: ${this.#slot}`);
    this.#waitUntilVisible = options.waitUntilVisible ?? untilVisibleIn(options.database, options.clock);
  }

  protected override oldestWaitingMs(): number | undefined {
    return this.#queue?.oldestMs;
  }

  protected override async lead(closing: AbortSignal, givingUp: AbortSignal): Promise<boolean> {
    const slot = await readSlot(this.#options.database, this.#slot);
    this.lagBytes = slot?.lagBytes;
    if (slot?.isActive && !slot.isForeign) return false;
    const { url, deadAfterMs = DEAD_AFTER_MS } = this.#options;
    const connection = await ReplicationConnection.open({ url, deadAfterMs });
    try {
      return await this.#leadOn(connection, closing, AbortSignal.any([connection.lost, givingUp]));
    } finally {
      this.#queue = undefined;
      await connection.close(CLOSE_CONNECTION_MS);
    }
  }

  async #leadOn(
    connection: ReplicationConnection,
    closing: AbortSignal,
    work: AbortSignal,
  ): Promise<boolean> {
    const lock = `${LEADER_LOCK}, hashtext(${connection.quote(this.#slot)})`;
    // On this very connection, so that the lock and the slot become free together.
    const [taken] = await connection.query<{ ok: boolean }>(`select pg_try_advisory_lock(${lock}) as ok`);
    if (!taken?.ok) return false;
    const generation = await this.#prepare(connection, closing, work);
    this.state = 'leading';
    await this.#follow(connection, generation, closing, work);
    return true;
  }

  /** Nothing here has to be finished: it begins again where it was left. */
  async #prepare(
    connection: ReplicationConnection,
    closing: AbortSignal,
    work: AbortSignal,
  ): Promise<string> {
    const stop = () => connection.abort(closing.reason);
    closing.addEventListener('abort', stop, { once: true });
    try {
      closing.throwIfAborted();
      const generation = await prepareSlot(connection, {
        database: this.#options.database,
        slot: this.#slot,
        publication: this.#publication,
        maxLagBytes: this.#maxLagBytes,
        followed: this.consumers.followed,
        onBegunAnew: (why) => this.noteBegunAnew(why),
      });
      await this.rebuild(generation, work);
      return generation;
    } finally {
      closing.removeEventListener('abort', stop);
    }
  }

  get #maxLagBytes(): number {
    return this.#options.maxLagBytes ?? DEFAULT_MAX_LAG_BYTES;
  }

  async #follow(
    connection: ReplicationConnection,
    generation: string,
    closing: AbortSignal,
    work: AbortSignal,
  ): Promise<void> {
    const { clock, maxBufferedBytes = MAX_BUFFERED_BYTES, deadAfterMs = DEAD_AFTER_MS } = this.#options;
    const queue = new TransactionQueue({
      ...{ generation, maxBytes: maxBufferedBytes },
      isFollowed: (table) => this.consumers.followed.has(table),
      onRoom: (hasRoom) => (hasRoom ? connection.resume() : connection.pause()),
    });
    this.#queue = queue;
    const reader = new PgOutputReader(queue);
    // Zero confirms nothing: the slot goes on from where it was.
    let confirmed = 0n;
    let isIdle = true;
    connection.stream(this.#startCommand(connection), {
      data: (buffer, at) => reader.read(buffer, at),
      keepAlive: (walEnd, mustReply) => {
        // So that the slot keeps no log of what nobody follows.
        if (isIdle && queue.isEmpty && walEnd > confirmed) confirmed = walEnd;
        if (mustReply) connection.confirm(confirmed);
      },
    });
    using _heartbeat = clock.every(deadAfterMs / 5, () => connection.confirm(confirmed));
    using _samples = clock.every(this.#options.sampleMs ?? SAMPLE_MS, () => this.#sample(connection));
    const stop = AbortSignal.any([work, closing]);
    while (!stop.aborted) {
      const parts = await queue.take(stop).catch((error: unknown) => {
        if (closing.aborted && !work.aborted) return [];
        throw error;
      });
      isIdle = false;
      const nextAtMs = clock.monotonicMs() + PACE_MS;
      await this.inHand(parts[0]?.committedAtMs, () => this.#handle(parts, work));
      queue.release(parts);
      confirmed = parts.findLast(({ endLsn }) => endLsn !== undefined)?.endLsn ?? confirmed;
      this.confirmedPosition = parts.at(-1)?.position ?? this.confirmedPosition;
      isIdle = true;
      connection.confirm(confirmed);
      const pauseMs = nextAtMs - clock.monotonicMs();
      // Aborted: the loop sees to it.
      if (pauseMs > 0 && queue.bytes < MUCH_BYTES)
        await clock.sleep(pauseMs, { signal: stop }).catch(() => undefined);
    }
    work.throwIfAborted();
  }

  async #handle(parts: readonly QueuedPart[], work: AbortSignal): Promise<void> {
    const transactions = parts.filter(({ rows }) => rows.length > 0);
    if (transactions.length === 0) return;
    await this.#waitUntilVisible([...new Set(transactions.map(({ xid }) => xid))], work);
    await this.deliver(transactions, work);
  }

  #startCommand(connection: ReplicationConnection): string {
    const publications = connection.quote(connection.quoteName(this.#publication));
    return `START_REPLICATION SLOT ${this.#slot} LOGICAL 0/0 (proto_version '1', publication_names ${publications})`;
  }

  async #sample(connection: ReplicationConnection): Promise<void> {
    try {
      const slot = await readSlot(this.#options.database, this.#slot);
      this.lagBytes = slot?.lagBytes;
      if (!slot || slot.isLost) connection.abort(new Error('the replication slot is lost'));
      else if (slot.lagBytes > this.#maxLagBytes) {
        connection.abort(new Error(`the change feed lags by ${slot.lagBytes} bytes`));
      }
    } catch (error) {
      this.noteError(error);
    }
  }
}
