import { expect, test } from 'bun:test';
import { Addresses } from './addresses.ts';

const own = 'wss://video.example/ws';

/** All that are tried, in their order. */
function all(addresses: Addresses): string[] {
  const urls: string[] = [];
  for (; !urls.includes(addresses.current); addresses.next()) urls.push(addresses.current);
  return urls;
}

test('only sockets that are guarded as well are taken, and the own address is always among them', () => {
  const addresses = new Addresses(own, () => 0.5);
  const told = [
    'ws://video.example/ws',
    'https://video.example/ws',
    'wss://lin:secret@video.example/ws',
    'javascript:alert(1)',
    '',
    'wss://two.example/ws',
    'wss://two.example/ws',
  ];
  addresses.learn(told);
  expect(all(addresses)).toEqual([own, 'wss://two.example/ws']);
  addresses.leave(told);
  expect(all(addresses)).toEqual(['wss://two.example/ws', own]);
});

test('without guard, ws is as good as wss', () => {
  const addresses = new Addresses('ws://127.0.0.1:8080/ws', () => 0.5);
  addresses.learn(['ws://127.0.0.1:8081/ws', 'wss://video.example/ws']);
  expect(all(addresses)).toHaveLength(3);
});

test('a login by cookie goes to its own host only', () => {
  const addresses = new Addresses(own, () => 0.5);
  addresses.isByCookie = true;
  addresses.leave(['wss://two.example/ws', 'wss://video.example:8443/ws']);
  expect(all(addresses)).toEqual(['wss://video.example:8443/ws', own]);
});

test('the one that is left comes last, also without alternatives, and many are bounded', () => {
  const addresses = new Addresses(own, () => 0.5);
  addresses.leave(['wss://two.example/ws']);
  addresses.leave([]);
  expect(all(addresses)).toEqual([own, 'wss://two.example/ws']);
  addresses.learn(Array.from({ length: 100 }, (_, i) => `wss://n${i}.example/ws`));
  expect(all(addresses)).toHaveLength(17);
  expect(addresses.isElsewhere).toBe(false);
});
