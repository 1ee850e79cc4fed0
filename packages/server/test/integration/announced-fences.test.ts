import { describe, expect, test } from 'bun:test';
import pino from 'pino';
import { AnnouncedFences } from '../../src/adapters/announced/fences.ts';
import { MemoryAnnouncements, MemoryLog } from '../../src/adapters/memory/announcements.ts';
import { fencesContract } from '../../src/ports/fences/contract.ts';
import type { LoadFences } from '../../src/ports/fences/port.ts';

let nowMs = 1;
const clock = {
  nowMs: () => nowMs,
  monotonicMs: () => nowMs,
  sleep: () => Promise.reject(new Error('nobody sleeps here')),
  after: () => ({ [Symbol.dispose]: () => {} }),
  every: () => ({ [Symbol.dispose]: () => {} }),
};
const log = pino({ level: 'silent' });
const dayMs = 86_400_000;

function fencesOn(announcements: MemoryAnnouncements, load: LoadFences) {
  const read = async () => new Set(await load());
  return new AnnouncedFences({ announcements, load, read, clock, log });
}

describe('AnnouncedFences', () => {
  fencesContract(async () => {
    const shared = new MemoryLog();
    return {
      open: async (load) => fencesOn(new MemoryAnnouncements(shared), load),
      lose: async () => shared.lose(),
      [Symbol.asyncDispose]: async () => {},
    };
  });

  test('names older than three days are forgotten, those raised again are not', async () => {
    const fences = fencesOn(new MemoryAnnouncements(), async () => ['video:1', 'video:2']);
    expect(await fences.isRaised('video:1')).toBe(true);
    nowMs += 2 * dayMs;
    await fences.raise(['video:2', 'video:3']);
    nowMs += 2 * dayMs;
    await fences.raise(['video:4']);
    const names = ['video:1', 'video:2', 'video:3', 'video:4'];
    expect(await fences.raisedAmong(names)).toEqual(names.slice(1));
  });

  test('while the truth cannot be read nothing is answered; then it is', async () => {
    let isAway = true;
    const fences = fencesOn(new MemoryAnnouncements(), async () => {
      if (isAway) throw new Error('away');
      return ['video:1'];
    });
    await expect(Promise.resolve(fences.isRaised('video:1'))).rejects.toThrow('away');
    isAway = false;
    expect(await fences.isRaised('video:1')).toBe(true);
  });

  test('an abort is the caller’s own', async () => {
    const fences = fencesOn(new MemoryAnnouncements(), async () => []);
    const answer = Promise.resolve(fences.isRaised('video:1', { signal: AbortSignal.abort('gone') }));
    await expect(answer).rejects.toBe('gone');
  });
});
