import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import type { CounterStore } from '../../ports/counter-store/port.ts';
import type { Database } from '../../ports/database/port.ts';
import type { Overlay } from './overlay.ts';
import {
  changedTotals,
  type Fold,
  fold,
  foldState,
  markCopied,
  type StoredTotal,
  type TotalFollower,
} from './store.ts';
import type { FoldedSum } from './types.ts';

export interface FolderDeps {
  readonly db: Database;
  readonly store: CounterStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly overlay: Overlay;
}

/** How long an increment waits to become part of its total. */
const foldEveryMs = 300;
/** Where others fold: how often it is looked up how far they have come. */
const settleEveryMs = 1_000;
/** What the port takes in one call. */
const copyAtOnce = 2_000;

/** Somebody who hears of changes that have committed. */
export interface ChangeListener {
  readonly metrics: readonly number[];
  note(changes: readonly FoldedSum[]): void;
}

/** Folds batches into totals and brings the totals to the read copy; one process at a time, whichever comes first. */
export class Folder {
  readonly #deps: FolderDeps;
  readonly #followers: TotalFollower[] = [];
  readonly #listeners: ChangeListener[] = [];
  #timer: Disposable | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(deps: FolderDeps) {
    this.#deps = deps;
  }

  follow(follower: TotalFollower): void {
    this.#followers.push(follower);
  }

  listen(listener: ChangeListener): void {
    this.#listeners.push(listener);
  }

  start(): void {
    const { clock, log } = this.#deps;
    this.#timer ??= clock.every(foldEveryMs, async () => {
      this.#running = this.turn().catch((error: unknown) =>
        log.warn({ err: error }, 'counters were not folded'),
      );
      await this.#running;
    });
  }

  /** Where others fold: what they have brought into the totals must not be kept here for ever. */
  startSettling(): void {
    const { clock, db, log, overlay } = this.#deps;
    this.#timer ??= clock.every(settleEveryMs, async () => {
      if (overlay.size === 0) return;
      this.#running = foldState(db).then(
        ({ copied }) => overlay.settle(copied),
        (error: unknown) => log.warn({ err: error }, 'it is not known how far counters were folded'),
      );
      await this.#running;
    });
  }

  async stop(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    await this.#running;
  }

  /** Folds everything that can be folded now. */
  async turn(): Promise<void> {
    const { db, overlay } = this.#deps;
    const state = await foldState(db);
    const isIdle = !state.hasBatches && state.copied === state.folded;
    if (!isIdle) {
      for (;;) {
        const summed = [...new Set(this.#listeners.flatMap(({ metrics }) => metrics))];
        const folded = await fold(db, this.#followers, summed);
        if (!folded) break;
        for (const { metrics, note } of this.#listeners)
          note(folded.sums.filter(({ metric }) => metrics.includes(metric)));
        await this.#copy(folded);
        if (!folded.hasMore && folded.totals.length === 0) break;
      }
    }
    overlay.settle(state.copied);
  }

  async #copy({ revision, before, totals }: Fold): Promise<void> {
    // Whoever folded before may have died between its commit and its copy.
    if (before.copied < before.folded) await this.#copySince(before.copied);
    await this.#put(totals);
    await markCopied(this.#deps.db, revision);
  }

  async #copySince(revision: number): Promise<void> {
    let after: StoredTotal | undefined;
    for (;;) {
      const totals = await changedTotals(this.#deps.db, revision, after, copyAtOnce);
      await this.#put(totals);
      if (totals.length < copyAtOnce) return;
      after = totals.at(-1);
    }
  }

  async #put(totals: readonly StoredTotal[]): Promise<void> {
    for (let at = 0; at < totals.length; at += copyAtOnce) {
      const some = totals.slice(at, at + copyAtOnce);
      await this.#deps.store.putNewer(some);
      this.#deps.overlay.touch(some);
    }
  }
}
