import { expect, test } from 'bun:test';
import { InvalidationLog } from './invalidation-log.ts';

test('a change counts for those who began before it only', () => {
  const log = new InvalidationLog();
  const before = log.position;
  log.record(['a']);
  expect(log.hasChanged('a', before)).toBe(true);
  expect(log.hasAnyChanged(['b', 'a'], before)).toBe(true);
  expect(log.hasAnyChanged(['b'], before)).toBe(false);
  expect(log.hasChanged('a', log.position)).toBe(false);
});

test('what it had to forget counts as changed', () => {
  const log = new InvalidationLog(2);
  const before = log.position;
  log.record(['a']);
  const between = log.position;
  log.record(['b', 'c']);
  expect(log.size).toBe(2);
  expect(log.hasChanged('a', before)).toBe(true);
  expect(log.hasChanged('never', before)).toBe(true);
  expect(log.hasChanged('a', between)).toBe(false);
  log.recordAll();
  expect(log.hasChanged('never', between)).toBe(true);
  expect(log.hasChanged('never', log.position)).toBe(false);
});
