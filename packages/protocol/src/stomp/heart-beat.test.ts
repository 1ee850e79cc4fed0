import { describe, expect, test } from 'bun:test';
import { formatHeartBeat, negotiateHeartBeat, parseHeartBeat } from './heart-beat.ts';

describe('the heart-beat header', () => {
  test('is what one can send and what one wants', () => {
    expect(parseHeartBeat('10000,20000')).toEqual({ canSendMs: 10_000, wantsMs: 20_000 });
    expect(formatHeartBeat({ canSendMs: 10_000, wantsMs: 20_000 })).toBe('10000,20000');
    expect(parseHeartBeat(undefined)).toEqual({ canSendMs: 0, wantsMs: 0 });
    expect(parseHeartBeat('0,86400000').wantsMs).toBe(86_400_000);
  });

  test.each(['', '1', '1,', ',1', '1,2,3', '-1,0', '1.5,0', ' 1,2', 'a,b', '0,86400001', '9999999999,0'])(
    'is refused as "%s"',
    (value) => {
      expect(() => parseHeartBeat(value)).toThrow('invalid-heart-beat');
    },
  );

  test('comes to the slower of both, in each direction', () => {
    const own = { canSendMs: 10_000, wantsMs: 30_000 };
    expect(negotiateHeartBeat(own, { canSendMs: 5_000, wantsMs: 20_000 })).toEqual({
      sendEveryMs: 20_000,
      hearEveryMs: 30_000,
    });
    expect(negotiateHeartBeat(own, { canSendMs: 60_000, wantsMs: 1 })).toEqual({
      sendEveryMs: 10_000,
      hearEveryMs: 60_000,
    });
  });

  test('comes to none where either side has none', () => {
    const none = { canSendMs: 0, wantsMs: 0 };
    const some = { canSendMs: 10_000, wantsMs: 10_000 };
    for (const [own, other] of [
      [none, some],
      [some, none],
    ] as const) {
      expect(negotiateHeartBeat(own, other)).toEqual({ sendEveryMs: 0, hearEveryMs: 0 });
    }
    expect(negotiateHeartBeat(some, { canSendMs: 0, wantsMs: 5_000 })).toEqual({
      sendEveryMs: 10_000,
      hearEveryMs: 0,
    });
  });
});
