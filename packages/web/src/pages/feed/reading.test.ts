import { expect, test } from 'bun:test';
import { Reading } from './reading.ts';

function reading(refuses: () => boolean = () => false) {
  const told: string[] = [];
  const it = new Reading(async (entryId) => {
    if (refuses()) throw new Error('no');
    told.push(entryId);
  });
  return { it, told };
}

test('the last place is told, once', async () => {
  const { it, told } = reading();
  await it.flush();
  it.at('9');
  it.at('8');
  await it.flush();
  await it.flush();
  expect(told).toEqual(['8']);
});

test('an older place than the server has is not told; a newer one is', async () => {
  const { it, told } = reading();
  it.knows('10');
  it.at('9');
  await it.flush();
  it.at('11');
  await it.flush();
  expect(told).toEqual(['11']);
});

test('what was not heard is told again', async () => {
  let refuses = true;
  const { it, told } = reading(() => refuses);
  it.at('5');
  await it.flush();
  refuses = false;
  await it.flush();
  expect(told).toEqual(['5']);
});
