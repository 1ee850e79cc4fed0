import { openOutboxChangeFeed } from '../../src/adapters/postgres/change-feed/outbox-feed.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { changeFeedContract } from '../../src/ports/change-feed/contract.ts';
import { testLog as log, testDatabase } from '../support/database.ts';

changeFeedContract('transactional outbox', async () => {
  const t = await testDatabase();
  const { database } = t;
  return {
    database,
    open: () =>
      openOutboxChangeFeed({ url: t.url, database, clock, random, log, takeOverMs: 100, pollMs: 5 }),
    // What a restored backup looks like: rows and transaction ids of another cluster.
    lose: async () => {
      await database.sql`update change_feed set system = 'another'`;
    },
    close: async () => {
      await t[Symbol.asyncDispose]();
    },
  };
});
