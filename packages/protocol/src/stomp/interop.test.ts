import { describe, expect, test } from 'bun:test';
import { FrameImpl, Parser, Versions } from '@stomp/stompjs';
import fc from 'fast-check';
import { cut, decodeAll, toBytes } from '../../test/stomp-frames.ts';
import { StompDecoder } from './decoder.ts';
import { encodeFrame } from './encoder.ts';
import { header, type StompVersion } from './frame.ts';
import { messagePrefix, SharedMessage } from './message.ts';
import { STOMP_SUBPROTOCOLS, STOMP_VERSIONS } from './versions.ts';

/** `@stomp/stompjs` reads and writes escapes in 1.2 only. */
const escapesOf = (version: StompVersion) => version === '1.2';

function readByStompjs(messages: readonly (string | Uint8Array)[], version: StompVersion): FrameImpl[] {
  const frames: FrameImpl[] = [];
  const parser = new Parser(
    (raw) => frames.push(FrameImpl.fromRawFrame(raw, escapesOf(version))),
    () => {},
  );
  for (const message of messages) {
    // It takes an ArrayBuffer, and all of it.
    parser.parseChunk(typeof message === 'string' ? message : new Uint8Array(message).buffer);
  }
  return frames;
}

const names = fc.stringMatching(/^[a-z][a-z-]{0,15}$/).filter((name) => name !== 'content-length');
const values = fc.string({ unit: 'binary', maxLength: 40 });
const records = (value: fc.Arbitrary<string>) =>
  fc.dictionary(names, value, { maxKeys: 6, noNullPrototype: true });
const bodies = fc.string({ unit: 'binary', maxLength: 300 });
const pieces = fc.tuple(fc.array(fc.nat(2_000), { maxLength: 10 }), fc.array(fc.boolean(), { maxLength: 5 }));

describe.each(STOMP_VERSIONS)('with @stomp/stompjs in %s', (version) => {
  const forbidden = version === '1.2' ? /\0/g : /[\0\r\n\\]/g;
  const theirValues = values.map((value) => value.replaceAll(forbidden, ''));

  test('its frames are decoded', () => {
    const options = fc.record({
      headers: records(theirValues),
      body: bodies,
      isBinary: fc.boolean(),
      skipContentLengthHeader: fc.boolean(),
    });
    fc.assert(
      fc.property(options, pieces, ({ headers, body, isBinary, skipContentLengthHeader }, [cuts, asText]) => {
        const skips = skipContentLengthHeader && !isBinary && !body.includes('\0');
        const serialized = FrameImpl.marshall({
          command: 'SEND',
          headers,
          ...(isBinary ? { binaryBody: toBytes(body) } : { body }),
          escapeHeaderValues: escapesOf(version),
          skipContentLengthHeader: skips,
        });
        const message = typeof serialized === 'string' ? serialized : new Uint8Array(serialized);
        for (const messages of [[message], [toBytes(message)], cut(toBytes(message), cuts, asText)]) {
          const { frames, fault } = decodeAll(new StompDecoder({ from: 'client', version }), messages);
          expect(fault).toBeUndefined();
          const [frame] = frames;
          if (frame === undefined) throw new Error('a frame was expected');
          expect(frame.text).toBe(body);
          for (const [name, value] of Object.entries(headers)) expect(header(frame, name)).toBe(value);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('it decodes our frames', () => {
    // It trims what it reads, and takes an escaped backslash before r, n or c for the beginning of another escape.
    const ourValues = values.map((value) =>
      value.replaceAll(version === '1.2' ? /[\0\\]/g : /[\0\r\n\\:]/g, '').trim(),
    );
    fc.assert(
      fc.property(
        records(ourValues),
        bodies,
        fc.boolean(),
        pieces,
        (headers, body, isBinary, [cuts, asText]) => {
          const flat = Object.entries(headers).flat();
          const message = isBinary
            ? encodeFrame('MESSAGE', flat, toBytes(body), version)
            : encodeFrame('MESSAGE', flat, body, version);
          for (const messages of [[message], cut(toBytes(message), cuts, asText)]) {
            const [frame, ...others] = readByStompjs(messages, version);
            expect(others).toEqual([]);
            expect(frame?.command).toBe('MESSAGE');
            expect(frame?.headers).toMatchObject(headers);
            expect(frame?.body).toBe(body);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('it decodes shared messages, several in one WebSocket message', () => {
    const shared = SharedMessage.of(
      ['message-id', '7', 'destination', '/user/queue/messages'],
      '{"text":"你好"}',
    );
    const text = ['a', 'b'].map((id) => shared.text(messagePrefix(id, version), 1, version)).join('');
    const bytes = shared.bytes(messagePrefix('c', version), undefined, version);
    const frames = readByStompjs([text, bytes], version);
    expect(frames.map((frame) => frame.headers['subscription'])).toEqual(['a', 'b', 'c']);
    for (const frame of frames) expect(frame.body).toBe('{"text":"你好"}');
  });
});

describe('@stomp/stompjs', () => {
  test('connects without host, with escapes in nothing, and is understood', () => {
    const headers = {
      passcode: 'a:b\\c',
      'accept-version': Versions.default.supportedVersions(),
      'heart-beat': '10000,10000',
    };
    const message = FrameImpl.marshall({ command: 'CONNECT', headers, escapeHeaderValues: false });
    const { frames } = decodeAll(new StompDecoder({ from: 'client' }), [String(message)]);
    expect(frames[0]?.headers).toEqual(Object.entries(headers).flat());
  });

  test('offers the subprotocols that we know', () => {
    expect(Versions.default.protocolVersions()).toEqual([...STOMP_SUBPROTOCOLS]);
  });

  test('writes of a header twice what it was given: the first length counts', () => {
    const message = FrameImpl.marshall({ command: 'SEND', headers: { 'content-length': '3' }, body: 'a\0b' });
    const { frames } = decodeAll(new StompDecoder({ from: 'client' }), [String(message)]);
    expect(frames[0]?.text).toBe('a\0b');
  });
});
