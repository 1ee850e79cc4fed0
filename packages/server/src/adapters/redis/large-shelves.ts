import { createClient } from '@redis/client';
import { largestOf } from '../../ports/timeline-store/entries.ts';
import { MAX_CAPACITY } from '../../ports/timeline-store/port.ts';

/** A shelf that has outgrown its capacity by less than a quarter, and its header. */
export const MAX_SHELF_MEMBERS = largestOf(MAX_CAPACITY) + 1;

export interface LargeShelves {
  readonly looked: number;
  /** False when there were more keys than are looked at. */
  readonly isComplete: boolean;
  /** Some of them, each with its number of members. */
  readonly large: readonly string[];
}

const maxScans = 100;
const keysPerScan = 1_000;
const maxNamed = 20;

/** Looks at the shelves on this one server, at some 100,000 keys at the most, for those that are larger than they may be. */
export async function findLargeShelves(url: string): Promise<LargeShelves> {
  const client = createClient({
    url,
    socket: { connectTimeout: 2_000, socketTimeout: 5_000, reconnectStrategy: false },
  });
  // What it says comes out of `connect` or the command as well.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const large: string[] = [];
    let [cursor, looked] = ['0', 0];
    for (let scan = 0; scan < maxScans; scan++) {
      const reply = await client.scan(cursor, { MATCH: 'hvt:*', COUNT: keysPerScan });
      const counts = await Promise.all(reply.keys.map((key) => client.zCard(key)));
      looked += counts.length;
      for (const [at, count] of counts.entries())
        if (count > MAX_SHELF_MEMBERS && large.length < maxNamed) large.push(`${reply.keys[at]} (${count})`);
      cursor = reply.cursor;
      if (cursor === '0') return { looked, isComplete: true, large };
    }
    return { looked, isComplete: false, large };
  } finally {
    client.destroy();
  }
}
