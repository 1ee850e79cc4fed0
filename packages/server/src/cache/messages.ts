import type { Bus } from '../ports/bus/port.ts';

export const CACHE_TOPIC = 'cache';

/** What the caches of all nodes tell each other. Keys are those of entries. */
export interface CacheMessage {
  readonly from: string;
  /** Rows that have changed; the store knows it already. */
  readonly rows?: readonly string[];
  /** Everything counts as changed. */
  readonly all?: true;
  /** Leases that have ended while others waited for them. */
  readonly ended?: readonly string[];
  readonly hot?: readonly string[];
}

export const encodeMessage = (message: CacheMessage) => new TextEncoder().encode(JSON.stringify(message));

export function decodeMessage(bytes: Uint8Array): CacheMessage {
  return JSON.parse(new TextDecoder().decode(bytes)) as CacheMessage;
}

const maxRowsEach = 1_000;

/** Sends rows in messages of bounded size; rejects when one of them could not be sent. */
export async function publishRows(bus: Bus, from: string, rows: readonly string[]): Promise<void> {
  const sends: Promise<void>[] = [];
  for (let start = 0; start < rows.length; start += maxRowsEach) {
    sends.push(
      bus.publish(CACHE_TOPIC, encodeMessage({ from, rows: rows.slice(start, start + maxRowsEach) })),
    );
  }
  await Promise.all(sends);
}
