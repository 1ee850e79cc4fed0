import { openLmdbCounterStore } from '../adapters/lmdb/counter-store.ts';
import { LmdbTimelineStore } from '../adapters/lmdb/timeline-store.ts';
import { MemoryCounterStore } from '../adapters/memory/counter-store.ts';
import { MemoryTimelineStore } from '../adapters/memory/timeline-store.ts';
import type { Config } from '../config/config.ts';
import { systemClock } from '../kernel/clock.ts';
import { systemRandom } from '../kernel/random.ts';
import type { CounterStore } from '../ports/counter-store/port.ts';
import type { TimelineStore } from '../ports/timeline-store/port.ts';
import { countersFolder, type Platform, timelinesFolder } from './platform.ts';

export interface OwnStoreOptions {
  readonly config: Config;
  readonly platform: Platform;
  /** Whether jobs are worked on here. */
  readonly work: boolean;
}

export interface OwnTimelines {
  readonly store: TimelineStore;
  /** Drops what nobody has read for long. */
  readonly sweep?: (signal: AbortSignal) => Promise<number>;
}

/** One process alone keeps its read copy in a file; of several, each keeps its own for a moment. */
export async function openCounterStore(
  { config, platform, work }: OwnStoreOptions,
  opening: AsyncDisposableStack,
): Promise<CounterStore> {
  if (config.DATABASE_URL || platform.besideServer || !work) return new MemoryCounterStore(systemClock);
  return opening.use(await openLmdbCounterStore(countersFolder(config)));
}

/** One process alone keeps its timelines in a file. They are worth nothing beside another database. */
export async function openTimelineStore(
  { config, platform, work }: OwnStoreOptions,
  opening: AsyncDisposableStack,
): Promise<OwnTimelines> {
  const parts = { clock: systemClock, random: systemRandom };
  if (config.DATABASE_URL || platform.besideServer || !work) return { store: new MemoryTimelineStore(parts) };
  const [row] = await platform.database.sql<{ origin: string }>`
    select system_identifier::text as origin from pg_control_system()`;
  const folder = timelinesFolder(config);
  const store = opening.use(await LmdbTimelineStore.open({ ...parts, folder, origin: row?.origin ?? '' }));
  return { store, sweep: (signal) => store.sweep(signal) };
}
