import { systemClock } from '../../kernel/clock.ts';
import { systemRandom } from '../../kernel/random.ts';
import { timelineStoreContract } from '../../ports/timeline-store/contract.ts';
import { MemoryTimelineStore } from './timeline-store.ts';

timelineStoreContract('memory', async () => {
  let passedMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + passedMs };
  const idleMs = 3_600_000;
  const store = new MemoryTimelineStore({ clock, random: systemRandom, idleMs });
  return {
    ...{ store, second: store, idleMs },
    elapse: async (ms) => {
      passedMs += ms;
      store.sweep();
    },
    loseWrites: { save: async () => {}, restart: async () => store.forget() },
    close: async () => {},
  };
});
