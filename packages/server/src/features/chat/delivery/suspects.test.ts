import { expect, test } from 'bun:test';
import { MAX_MESSAGE_BYTES } from '../../../ports/bus/port.ts';
import { Suspects, type Suspicion } from './suspects.ts';
import { encode } from './wire.ts';

const idOf = (n: number) => String(10n ** 18n + BigInt(n));

test('others are told of each suspicion once, in as many turns as it takes messages that the bus carries', () => {
  const suspects = new Suspects();
  const all = Array.from({ length: 300 }, (_, group): Suspicion => {
    const accountIds = Array.from({ length: group % 2 === 0 ? 500 : 0 }, (_, n) => idOf(group * 500 + n));
    return { conversationId: idOf(900_000 + group), ...(accountIds.length > 0 && { accountIds }) };
  });
  suspects.add(all);
  const told: Suspicion[] = [];
  let turns = 0;
  for (let some = suspects.takeUntold(); some.length > 0; some = suspects.takeUntold()) {
    expect(encode({ from: 'x', suspected: some }).byteLength).toBeLessThan(MAX_MESSAGE_BYTES);
    told.push(...some);
    turns += 1;
  }
  expect(told).toEqual(all);
  expect(turns).toBeLessThan(10);
});
