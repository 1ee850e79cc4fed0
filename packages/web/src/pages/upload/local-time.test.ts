import { expect, test } from 'bun:test';
import { localInput, publishAtOf, rescheduleOf } from './local-time.ts';

const form = (publishAt?: string) => {
  const values = new FormData();
  if (publishAt !== undefined) values.set('publishAt', publishAt);
  return values;
};

test('a time goes into the field and comes out again, to the minute', () => {
  const at = new Date('2030-05-06T07:08:00Z');
  expect(publishAtOf(form(localInput(at)))).toBe(at.toISOString());
  expect(publishAtOf(form())).toBeUndefined();
  expect(publishAtOf(form(''))).toBeUndefined();
});

test('a schedule left alone stays, seconds and all', () => {
  const at = '2030-05-06T07:08:09.123Z';
  expect(rescheduleOf(form(localInput(new Date(at))), at)).toBeUndefined();
  expect(rescheduleOf(form(), at)).toBeNull();
  const later = new Date('2030-05-07T07:08:00Z');
  expect(rescheduleOf(form(localInput(later)), at)).toBe(later.toISOString());
});
