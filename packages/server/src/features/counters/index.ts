/**
 * Totals that are written often and read oftener: likes, views, followers. The promises are in `types.ts`.
 *
 *     const counters = createCounters({ db, store, ids, clock, random, log });
 *     await counters.open();                                     // before anything is read or counted
 *     const recorded = await counters.record(tx, [{ id, metric: 'likes', delta: 1 }]);   // with the row
 *     counters.committed(recorded);                              // when the transaction has resolved
 *     await counters.add([{ id, metric: 'views', delta: 1 }]);   // resolves when it is on disk
 *     const [likes] = await counters.read([{ id, metric: 'likes' }]);
 *     await counters.close();                                    // writes what waits
 *
 * Cost: `read` asks the read copy once; what it lacks is one query. `record` is one statement; a thousand calls of
 * `add` share one.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Random } from '../../kernel/random.ts';
import type { CounterStore } from '../../ports/counter-store/port.ts';
import type { Database } from '../../ports/database/port.ts';
import { Combiner } from './combiner.ts';
import { Folder } from './folder.ts';
import { Overlay } from './overlay.ts';
import { CounterReads } from './reads.ts';
import { adopt, batchInsert, clean, forget, insertBatch, insertPacked } from './store.ts';
import { type Counters, METRICS } from './types.ts';

export type { CounterName, Counters, Increment, Metric, Recorded, Sighting } from './types.ts';
export { METRICS } from './types.ts';

export interface CountersDeps {
  readonly db: Database;
  readonly store: CounterStore;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface CountersService extends Counters {
  open(): Promise<void>;
  /** Brings everything that is on disk into the totals now. */
  fold(): Promise<void>;
  /** Begins to fold in the background. */
  start(): void;
  /** In place of `start`, where other processes fold. */
  startSettling(): void;
  /** Counters of which this process remembers own increments. */
  readonly unsettled: number;
  /** Daily work. */
  clean(): Promise<void>;
  close(): Promise<void>;
}

export function createCounters({ db, store, ids, clock, random, log }: CountersDeps): CountersService {
  const overlay = new Overlay();
  const source = ids.next();
  const combiner = new Combiner({
    ...{ clock, random },
    write: async (seq, packed) => {
      const xid = await insertPacked(db, source, seq, packed);
      if (xid !== undefined) overlay.add(xid, packed.increments);
    },
  });
  const folder = new Folder({ db, store, clock, log, overlay });
  const reads = new CounterReads({ db, store, overlay, log });
  return {
    record: async (tx, increments, sightings = []) => ({
      xid: increments.length + sightings.length > 0 ? await insertBatch(tx, { increments, sightings }) : 0,
      increments,
    }),
    recording: (sql, increments, when) => batchInsert(sql, { increments, sightings: [] }, when),
    committed: ({ xid, increments }) => overlay.add(xid, increments),
    add: async (increments, sightings) => combiner.add(increments, sightings),
    get version() {
      return overlay.version;
    },
    changedAt: (id) => overlay.changedAt(id),
    read: (names, options) => reads.read(names, options?.signal),
    forget,
    onFold: (metrics, run) => folder.follow({ metrics: metrics.map((metric) => METRICS[metric]), run }),
    onChanges: (metrics, note) => folder.listen({ metrics: metrics.map((metric) => METRICS[metric]), note }),
    open: () => adopt(db),
    fold: () => folder.turn(),
    start: () => folder.start(),
    startSettling: () => folder.startSettling(),
    get unsettled() {
      return overlay.size;
    },
    clean: () => clean(db),
    close: async () => {
      await combiner.drain();
      await folder.stop();
    },
  };
}
