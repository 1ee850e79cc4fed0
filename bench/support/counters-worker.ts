import { writeSync } from 'node:fs';
import pino from 'pino';
import { openLmdbCounterStore } from '../../packages/server/src/adapters/lmdb/counter-store.ts';
import { openDatabase } from '../../packages/server/src/adapters/postgres/database.ts';
import { createCounters } from '../../packages/server/src/features/counters/index.ts';
import { systemClock } from '../../packages/server/src/kernel/clock.ts';
import { systemRandom } from '../../packages/server/src/kernel/random.ts';

/**
 * A process of the benchmark of counters: `URL FOLDER SOURCE INCREMENTS`. Many callers add 1 to counters drawn from a Zipf
 * distribution; each time some are acknowledged, their number is on standard output before anything else happens.
 */
const [url = '', folder = '', source = '', wanted = '0'] = process.argv.slice(2);
const counterCount = 100_000;
const callers = 4_000;
const log = pino({ level: 'warn' }, pino.destination(2));

const database = openDatabase({ url, maxConnections: 4, log });
const store = await openLmdbCounterStore(folder);
const counters = createCounters({
  ...{ db: database, store, clock: systemClock, random: systemRandom, log },
  ids: { next: () => source },
});
counters.start();

/** Weights 1/rank: `draw` finds the rank by bisection. */
const cumulative = new Float64Array(counterCount);
for (let rank = 0, sum = 0; rank < counterCount; rank++) cumulative[rank] = sum += 1 / (rank + 1);
const whole = cumulative[counterCount - 1] ?? 1;
function draw(): number {
  const point = Math.random() * whole;
  let [low, high] = [0, counterCount - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] ?? 0) < point) low = middle + 1;
    else high = middle;
  }
  return low;
}

let left = Number(wanted);
let acknowledged = 0;
let isTelling = false;
async function call(): Promise<void> {
  while (left > 0) {
    left -= 1;
    await counters.add([{ id: String(1 + draw()), metric: 'views', delta: 1 }]);
    acknowledged += 1;
    if (isTelling) continue;
    isTelling = true;
    queueMicrotask(() => {
      isTelling = false;
      writeSync(1, `${acknowledged}\n`);
    });
  }
}
await Promise.all(Array.from({ length: callers }, call));
await counters.fold();
await counters.close();
writeSync(1, `${acknowledged}\n`);
process.exit(0);
