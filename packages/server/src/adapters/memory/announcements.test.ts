import { describe, expect, test } from 'bun:test';
import { announcementsContract } from '../../ports/announcements/contract.ts';
import { MemoryAnnouncements, MemoryLog } from './announcements.ts';

describe('MemoryAnnouncements', () => {
  announcementsContract(
    async () => {
      const log = new MemoryLog();
      return {
        open: async () => new MemoryAnnouncements(log),
        lose: async () => log.lose(),
        [Symbol.asyncDispose]: async () => {},
      };
    },
    { runs: 500 },
  );

  test('followers hear at once; who is current waits for nothing', async () => {
    const announcements = new MemoryAnnouncements();
    const heard: string[] = [];
    announcements.follow('test', { hear: (texts) => heard.push(...texts), reset: async () => {} });
    await announcements.catchUp();
    void announcements.announce([{ kind: 'test', text: '1' }]);
    expect(heard).toEqual(['1']);
    expect(announcements.catchUp()).toBeUndefined();
  });
});
