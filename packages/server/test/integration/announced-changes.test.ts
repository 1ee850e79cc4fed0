import { expect, test } from 'bun:test';
import pino from 'pino';
import { AnnouncedFences } from '../../src/adapters/announced/fences.ts';
import { AnnouncedLately } from '../../src/adapters/announced/lately.ts';
import { MemoryAnnouncements } from '../../src/adapters/memory/announcements.ts';
import { GRAPH_KIND } from '../../src/features/graph/index.ts';
import { systemClock as clock } from '../../src/kernel/clock.ts';
import { ANNOUNCED_KINDS, announcedChanges } from '../../src/main/announced-changes.ts';
import type { ChangeBatch, Row } from '../../src/ports/change-feed/port.ts';
import type { Database } from '../../src/ports/database/port.ts';

const log = pino({ level: 'silent' });
const signal = new AbortController().signal;
const noDatabase = {} as Database;

/** A batch of the change feed with these new rows. */
function batchOf(table: string, after: readonly Row[]): ChangeBatch {
  const rows = after.map((row, ordinal) => ({
    ...{ table, operation: 'insert' as const, before: undefined, after: row, ordinal },
  }));
  return { position: '1', transactions: [], rows };
}

async function node() {
  const announcements = new AnnouncedLately(new MemoryAnnouncements(), ANNOUNCED_KINDS);
  const fences = new AnnouncedFences({
    ...{ announcements, clock, log },
    load: async () => [],
    read: async () => new Set<string>(),
  });
  const graphs: string[] = [];
  let resets = 0;
  announcements.follow(GRAPH_KIND, {
    hear: (texts) => graphs.push(...texts),
    reset: async () => {
      resets += 1;
    },
  });
  await announcements.catchUp();
  const [ofFences, ofEpochs] = announcedChanges({ announcements, fences, database: noDatabase });
  return { announcements, fences, graphs, resets: () => resets, ofFences: ofFences!, ofEpochs: ofEpochs! };
}

test('the change feed announces the epochs that their writer did not, and those it did not again', async () => {
  const { announcements, graphs, ofEpochs } = await node();
  await announcements.announce([{ kind: GRAPH_KIND, text: '7:1' }]);
  const rows = [
    { account_id: '7', epoch: '1' },
    { account_id: '8', epoch: '3' },
  ];
  await ofEpochs.handle(batchOf('graph_epoch', rows), signal);
  expect(graphs).toEqual(['7:1', '8:3']);
  const many = Array.from({ length: 12_000 }, (_, at) => ({ account_id: String(100 + at), epoch: '1' }));
  await ofEpochs.handle(batchOf('graph_epoch', many), signal);
  expect(graphs).toHaveLength(12_002);
  // By now it has forgotten that it has told of the first.
  await ofEpochs.handle(batchOf('graph_epoch', rows), signal);
  expect(graphs.slice(12_002)).toEqual(['7:1', '8:3']);
});

test('it raises the fences that could not be raised', async () => {
  const { fences, ofFences } = await node();
  await ofFences.handle(batchOf('fence', [{ name: 'video:1' }]), signal);
  expect(await fences.raisedAmong(['video:1', 'video:2'])).toEqual(['video:1']);
});

test('when it has lost changes every node reads graphs anew', async () => {
  const { announcements, ofEpochs, resets } = await node();
  await ofEpochs.rebuild(signal);
  await announcements.catchUp();
  expect(resets()).toBe(2);
});
