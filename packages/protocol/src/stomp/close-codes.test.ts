import { expect, test } from 'bun:test';
import { CLOSE_CODES, closeCodeOfFault, mayReconnect } from './close-codes.ts';

test('clients come again after 4500 to 4999, and never by themselves after 4000 to 4499', () => {
  for (const [name, code] of Object.entries(CLOSE_CODES)) {
    expect([name, mayReconnect(code)]).toEqual([name, code >= 4500]);
  }
  for (const code of [4000, 4499]) expect(mayReconnect(code)).toBe(false);
  for (const code of [4500, 4999]) expect(mayReconnect(code)).toBe(true);
});

test('clients come again after a lost connection or a server that went away', () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3008])
    expect(mayReconnect(code)).toBe(true);
  for (const code of [1000, 1002, 1007, 1008, 1009, 3000, 3003]) expect(mayReconnect(code)).toBe(false);
});

test('codes are within the range for applications, and no two are equal', () => {
  const codes = Object.values(CLOSE_CODES);
  expect(codes.every((code) => code >= 4000 && code <= 4999)).toBe(true);
  expect(new Set(codes).size).toBe(codes.length);
});

test('faults close the connection with their code', () => {
  expect(closeCodeOfFault('undefined-escape')).toBe(CLOSE_CODES.protocolFault);
  expect(closeCodeOfFault('body-too-large')).toBe(CLOSE_CODES.tooLarge);
  expect(closeCodeOfFault('unsupported-version')).toBe(CLOSE_CODES.unsupportedVersion);
  expect(closeCodeOfFault('unencodable')).toBe(CLOSE_CODES.internal);
});
