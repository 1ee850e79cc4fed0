import { expect, test } from 'bun:test';
import { StompDecoder } from './decoder.ts';
import { header } from './frame.ts';
import { messagePrefix, SharedMessage } from './message.ts';
import { STOMP_VERSIONS } from './versions.ts';

const headers = ['destination', '/user/queue/messages', 'message-id', '7', 'quote', 'chain:4'];

function decode(message: string | Uint8Array, version: '1.0' | '1.1' | '1.2') {
  const decoder = new StompDecoder({ from: 'server', version });
  decoder.push(message);
  const frame = decoder.next();
  if (frame === undefined) throw new Error('a frame was expected');
  return frame;
}

test.each(STOMP_VERSIONS)('a shared message reads in %s as if it were encoded for each', (version) => {
  const shared = SharedMessage.of(headers, '{"text":"你好"}');
  // What another node makes of it, which was sent the tail.
  for (const message of [shared, new SharedMessage(shared.tail)]) {
    for (const [id, ack] of [
      ['sub-0', 41],
      ['sub\\1', undefined],
    ] as const) {
      const prefix = messagePrefix(id, version);
      for (const form of [message.text(prefix, ack, version), message.bytes(prefix, ack, version)]) {
        const frame = decode(form, version);
        expect(frame.command).toBe('MESSAGE');
        expect(header(frame, 'subscription')).toBe(id);
        expect(header(frame, 'ack')).toBe(ack?.toString());
        expect(header(frame, 'quote')).toBe('chain:4');
        expect(header(frame, 'content-length')).toBe('17');
        expect(frame.text).toBe('{"text":"你好"}');
      }
    }
  }
});

test('a shared message may have no body, and a header named like a value', () => {
  const frame = decode(
    SharedMessage.of(['a', 'content-length', 'b', ':'], '').text(messagePrefix('1'), 1, '1.0'),
    '1.0',
  );
  expect(frame.headers).toEqual(['subscription', '1', 'ack', '1', 'a', 'content-length', 'b', ':']);
});
