import type { Clock } from '../kernel/clock.ts';
import type { Random } from '../kernel/random.ts';
import type { InvalidationLog } from '../ports/cache-store/invalidation-log.ts';
import type { CacheStore } from '../ports/cache-store/port.ts';
import type { Flight } from './flight.ts';
import type { HotKeys } from './hot-keys.ts';
import type { LevelOne } from './level-one.ts';
import type { Limiter } from './limiter.ts';
import type { StoreGuard } from './store-guard.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What all definitions of one node share. */
export interface CacheNode {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: StoreGuard;
  /** Where stale values are kept, when that is not the store itself. */
  readonly staleStore: CacheStore | undefined;
  readonly log: InvalidationLog;
  readonly levelOne: LevelOne;
  readonly hotKeys: HotKeys;
  readonly limiter: Limiter;
  readonly waitingRoom: WaitingRoom;
  readonly flightsByOwner: FlightIndex;
  readonly leaseMs: number;
  /** How long a value may live in this process at most: what a lost message may cost. */
  readonly hotMs: number;
  /** False while invalidations from other nodes may be missed. */
  isHearing(): boolean;
  /** A number that grows with each call: what began before what. */
  tick(): number;
  announceEnded(keys: readonly string[]): void;
  onFailure(error: unknown, doing: string): void;
}

/** Which work is under way for which row, so that nobody joins work that began before a change. */
export class FlightIndex {
  readonly #flights = new Map<string, Set<Detachable>>();

  add(owner: string, flight: Detachable): void {
    const flights = this.#flights.get(owner);
    if (flights) flights.add(flight);
    else this.#flights.set(owner, new Set([flight]));
  }

  remove(owner: string, flight: Detachable): void {
    const flights = this.#flights.get(owner);
    if (flights?.delete(flight) && flights.size === 0) this.#flights.delete(owner);
  }

  detach(owners: Iterable<string>): void {
    for (const owner of owners) for (const flight of [...(this.#flights.get(owner) ?? [])]) flight.detach();
  }

  detachAll(): void {
    this.detach([...this.#flights.keys()]);
  }
}

export interface Detachable {
  readonly flight: Pick<Flight<unknown>, 'id'>;
  detach(): void;
}
