import { expect, test } from 'bun:test';
import { isWorthRetrying } from './upload-task.ts';

test('what may pass is tried again, and what is refused for good is not', () => {
  for (const status of [undefined, 0, 401, 408, 409, 423, 429, 500, 503]) {
    expect(isWorthRetrying(status), String(status)).toBe(true);
  }
  for (const status of [400, 403, 404, 410, 413, 415, 422]) {
    expect(isWorthRetrying(status), String(status)).toBe(false);
  }
});
