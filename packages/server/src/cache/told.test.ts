import { expect, test } from 'bun:test';
import { ToldTransactions } from './told.ts';

test('what was told of a transaction is not told again, and nothing else is left out', () => {
  const told = new ToldTransactions();
  told.note(2 ** 32 + 7, ['a', 'b']);
  expect(told.untold(7, ['a', 'c'])).toEqual(['c']);
  expect(told.untold(8, ['a'])).toEqual(['a']);
  expect(told.untold(undefined, ['a'])).toEqual(['a']);
});

test('old transactions are forgotten: their rows are told again', () => {
  const told = new ToldTransactions();
  for (let transaction = 1; transaction <= 10_001; transaction += 1) told.note(transaction, ['a']);
  expect(told.untold(1, ['a'])).toEqual(['a']);
  expect(told.untold(2, ['a'])).toEqual([]);
});
