import { openLogicalChangeFeed } from '../../src/adapters/postgres/change-feed/logical-feed.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { systemRandom as random } from '../../src/kernel/random.ts';
import { changeFeedContract } from '../../src/ports/change-feed/contract.ts';
import { testLog as log, testDatabase } from '../support/database.ts';

changeFeedContract('logical replication', async () => {
  const t = await testDatabase();
  const slot = `contract_${crypto.randomUUID().replaceAll('-', '')}`;
  const { database } = t;
  return {
    database,
    open: () =>
      openLogicalChangeFeed({
        url: t.url,
        database,
        clock,
        random,
        log,
        slot,
        takeOverMs: 100,
        sampleMs: 100,
      }),
    lose: async () => {
      await database.sql`select pg_drop_replication_slot(${slot})`;
    },
    close: async () => {
      await database.sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot}`;
      await t[Symbol.asyncDispose]();
    },
  };
});
