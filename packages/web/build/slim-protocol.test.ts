import { expect, test } from 'bun:test';
import * as protocol from '../../protocol/src/index.ts';
import { slimModule } from './slim-protocol.ts';

test('the table keeps every endpoint and no schema', () => {
  const text = slimModule(protocol);
  expect(text).toContain('"path":"/users/{id}"');
  expect(text).toContain('export const PASSWORD_MIN = 8;');
  expect(text).not.toContain('_zod');
  expect(text).not.toContain('export const Account');
  for (const group of Object.values(protocol.api)) {
    for (const { path } of Object.values(group)) expect(text).toContain(JSON.stringify(path));
  }
});
