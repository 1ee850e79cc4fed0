import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbTimelineStore } from '../../src/adapters/lmdb/timeline-store.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { timelineStoreContract } from '../../src/ports/timeline-store/contract.ts';
import type { TimelineStore } from '../../src/ports/timeline-store/port.ts';

timelineStoreContract('LMDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-shelves-'));
  let passedMs = 0;
  let bootId = 'one';
  const idleMs = 3_600_000;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + passedMs };
  const options = {
    folder,
    origin: 'here',
    clock,
    random: systemRandom,
    idleMs,
    readBootId: async () => bootId,
  };
  let inner = await LmdbTimelineStore.open(options);
  // One process holds the file: the other node is the same. After a crash there is another object behind it.
  const store = new Proxy<TimelineStore>(inner, {
    get: (_, name) => {
      const value: unknown = Reflect.get(inner, name, inner);
      return typeof value === 'function' ? value.bind(inner) : value;
    },
  });
  return {
    ...{ store, second: store, idleMs },
    elapse: async (ms) => {
      passedMs += ms;
      await inner.sweep();
    },
    loseWrites: {
      save: async () => {},
      restart: async () => {
        // The mark says that it was not closed, as after a crash.
        const mark = await Bun.file(join(folder, 'mark.json')).text();
        await inner[Symbol.asyncDispose]();
        await Bun.write(join(folder, 'mark.json'), mark);
        bootId = 'two';
        inner = await LmdbTimelineStore.open(options);
      },
    },
    close: async () => {
      await inner[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
