/**
 * A process to be killed: follows `cf_number`, adds each number that comes to a sum in the database, once, and tells after
 * each batch how far it is. `bun change-feed-process.ts URL SLOT`
 */
import pino from 'pino';
import { openLogicalChangeFeed } from '../../src/adapters/postgres/change-feed/logical-feed.ts';
import { openDatabase } from '../../src/adapters/postgres/database.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { effectOnce } from '../../src/ports/change-feed/effect-once.ts';

const [url = '', slot = ''] = process.argv.slice(2);
const log = pino({ level: 'silent' });
const database = openDatabase({ url, maxConnections: 2, log });
const feed = openLogicalChangeFeed({ url, database, clock, random, log, slot, takeOverMs: 100 });
feed.follow({
  name: 'sum',
  tables: [{ table: 'cf_number' }],
  handle: async (batch) => {
    await effectOnce(database, 'sum', batch, async (tx, { rows }) => {
      const added = rows.reduce((sum, { after }) => sum + Number(after?.['n']), 0);
      await tx`update cf_sum set total = total + ${added}, changes = changes + ${rows.length}`;
    });
    process.stdout.write(`${batch.rows.length}\n`);
  },
  rebuild: async () => {},
});
feed.start();
