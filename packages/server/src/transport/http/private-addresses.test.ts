import { expect, test } from 'bun:test';
import { isPrivateAddress } from './private-addresses.ts';

test.each([
  '127.0.0.1',
  '127.9.9.9',
  '::1',
  '::ffff:127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  'fd12::1',
  'fe80::1%eth0',
])('%s is private', (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

test.each([
  '8.8.8.8',
  '172.32.0.1',
  '192.169.0.1',
  '11.0.0.1',
  '::ffff:8.8.8.8',
  '2001:db8::1',
  '',
  'unknown',
  '127.0.0.1.evil',
])('%p is not', (address) => {
  expect(isPrivateAddress(address)).toBe(false);
});
