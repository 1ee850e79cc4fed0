import { expect, test } from 'bun:test';
import { systemClock } from './clock.ts';
import { Occasionally } from './occasionally.ts';

test('says the first at once, then one a second with the number of those between, each key for itself', () => {
  let nowMs = 0;
  const occasionally = new Occasionally({ ...systemClock, monotonicMs: () => nowMs });
  const said: string[] = [];
  const say = (key: string) => occasionally.say(key, (times) => said.push(`${key} ${times}`));
  say('a');
  for (let at = 0; at < 10; at += 1) say('a');
  say('b');
  expect(said).toEqual(['a 1', 'b 1']);
  nowMs = 1_000;
  say('a');
  say('a');
  expect(said).toEqual(['a 1', 'b 1', 'a 11']);
});
