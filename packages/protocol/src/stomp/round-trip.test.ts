import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { cut, decodeAll, encode, join, toBytes, type Wanted, wantedFrames } from '../../test/stomp-frames.ts';
import { StompDecoder } from './decoder.ts';
import type { StompFrame } from './frame.ts';
import { STOMP_VERSIONS } from './versions.ts';

const pieces = fc.record({
  cuts: fc.array(fc.nat(100_000), { maxLength: 30 }),
  asText: fc.array(fc.boolean(), { maxLength: 7 }),
});
const lineEnds = fc.constantFrom('', '', '\n', '\r\n', '\n\n\n');

function expectSame(frames: readonly StompFrame[], wanted: readonly Wanted[]): void {
  expect(frames.map(({ command }) => command)).toEqual(wanted.map(({ command }) => command));
  for (const [index, { headers, body }] of wanted.entries()) {
    const frame = frames[index];
    const bytes = toBytes(body);
    const hasLength = typeof body !== 'string' || body !== '';
    expect(frame?.headers).toEqual(
      hasLength ? [...headers, 'content-length', String(bytes.length)] : headers,
    );
    expect(frame?.body).toEqual(bytes);
    if (typeof body === 'string') expect(frame?.text).toBe(body);
  }
}

describe.each(STOMP_VERSIONS)('in %s', (version) => {
  const frames = fc.array(fc.tuple(wantedFrames(version), lineEnds), { minLength: 1, maxLength: 5 });

  test('what is encoded, cut anywhere and sent as text and bytes, is decoded', () => {
    fc.assert(
      fc.property(frames, pieces, (wanted, { cuts, asText }) => {
        const stream = wanted.flatMap(([frame, ends]) => [toBytes(encode(frame, version)), toBytes(ends)]);
        const decoder = new StompDecoder({ from: 'client', version });
        const outcome = decodeAll(decoder, cut(join(stream), cuts, asText));
        expect(outcome.fault).toBeUndefined();
        expectSame(
          outcome.frames,
          wanted.map(([frame]) => frame),
        );
        expect(decoder.bufferedBytes).toBe(0);
        const beats = wanted.map(([, ends]) => ends.replaceAll('\r', '').length);
        expect(decoder.heartBeats).toBe(beats.reduce((sum, count) => sum + count, 0));
      }),
      { numRuns: 1_000 },
    );
  });

  test('what is encoded is decoded, frame by frame', () => {
    fc.assert(
      fc.property(fc.array(wantedFrames(version), { maxLength: 5 }), (wanted) => {
        const decoder = new StompDecoder({ from: 'client', version });
        const outcome = decodeAll(
          decoder,
          wanted.map((frame) => encode(frame, version)),
        );
        expectSame(outcome.frames, wanted);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('frames that end their lines with CR LF are decoded alike', () => {
  fc.assert(
    fc.property(wantedFrames('1.2'), pieces, (wanted, { cuts, asText }) => {
      const bare = { ...wanted, body: '' };
      const crlf = toBytes(String(encode(bare, '1.2')).replaceAll('\n', '\r\n'));
      const outcome = decodeAll(new StompDecoder({ from: 'client' }), cut(crlf, cuts, asText));
      expectSame(outcome.frames, [bare]);
    }),
  );
});
