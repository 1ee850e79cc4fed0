import type { Clock } from '../../../../kernel/clock.ts';
import type { Logger } from '../../../../kernel/log.ts';
import type { Random } from '../../../../kernel/random.ts';
import type { Bus } from '../../../../ports/bus/port.ts';

export interface RemoteCommitterDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly bus: Bus;
  /** Of this process, on the bus; no other has ever had it. */
  readonly nodeName: string;
  /** Something may have been stored there: its sender got an error. */
  readonly onUnknown: (conversationIds: readonly string[]) => void;
}

export interface RemoteCommitterOptions {
  /** Every send is answered within it: longer than a reply is held for what it quotes. */
  readonly deadlineMs: number;
  /** How long a send waits for an owner to be heard of. */
  readonly homelessMs: number;
  readonly maxUnderWay: number;
  /** Of the bodies under way. */
  readonly maxBytes: number;
  /** After that a process that ends answers what is left. */
  readonly drainMs: number;
}

export const defaultOptions: RemoteCommitterOptions = {
  deadlineMs: 15_000,
  homelessMs: 3_000,
  maxUnderWay: 20_000,
  maxBytes: 32 * 1024 * 1024,
  drainMs: 5_000,
};
