import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { cut, decodeAll, type Outcome, toBytes } from '../../test/stomp-frames.ts';
import { streams } from '../../test/stomp-noise.ts';
import { StompDecoder } from './decoder.ts';
import { encodeFrame } from './encoder.ts';
import { mayHaveBody, type StompFrame } from './frame.ts';
import type { StompLimits } from './limits.ts';
import { STOMP_VERSIONS } from './versions.ts';

const limits: StompLimits = {
  maxHeaders: 10,
  maxHeaderLineBytes: 100,
  maxHeaderBytes: 400,
  maxBodyBytes: 1_000,
  maxBufferedBytes: 2_000,
  maxFramesPerPush: 1_000,
};

/** Looked at as text, once more as bytes, copied when kept, and twice more when buffers grow. */
const workPerByte = 6;

const cuts = fc.array(fc.nat(5_000), { maxLength: 20 });
const asText = fc.array(fc.boolean(), { maxLength: 5 });
const settings = fc.record({
  from: fc.constantFrom('client' as const, 'server' as const),
  version: fc.constantFrom(...STOMP_VERSIONS),
});

const content = (frames: readonly StompFrame[]) =>
  frames.map(({ command, headers, body }) => [command, headers, [...body]]);

function expectBounded(decoder: StompDecoder, outcome: Outcome, octets: number): void {
  expect(outcome.peakBufferedBytes).toBeLessThanOrEqual(limits.maxBufferedBytes);
  expect(decoder.work).toBeLessThanOrEqual(octets * workPerByte + 1_000);
}

describe('whatever comes', () => {
  test('is frames or a fault, the same however it is cut, with bounded memory and work', () => {
    fc.assert(
      fc.property(streams, cuts, asText, settings, (stream, places, kinds, { from, version }) => {
        const results = [
          [stream],
          Array.from(stream, (byte) => new Uint8Array([byte])),
          cut(stream, places, kinds),
          cut(stream, [], [true]),
        ].map((messages) => {
          const decoder = new StompDecoder({ from, version, limits });
          const outcome = decodeAll(decoder, messages);
          expectBounded(decoder, outcome, stream.length);
          return { ...outcome, isWaiting: outcome.fault === undefined && decoder.bufferedBytes > 0 };
        });
        const [first] = results;
        for (const result of results) {
          expect(content(result.frames)).toEqual(content(first?.frames ?? []));
          // One way may know sooner than another that the unfinished frame cannot become a good one.
          const isDecided = !result.isWaiting && !first?.isWaiting;
          if (isDecided) expect(result.fault === undefined).toBe(first?.fault === undefined);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('is a fault or frames for the text of each body, too', () => {
    fc.assert(
      fc.property(streams, settings, (stream, { from, version }) => {
        const { frames } = decodeAll(new StompDecoder({ from, version, limits }), [stream]);
        for (const frame of frames) {
          try {
            expect(toBytes(frame.text)).toEqual(frame.body);
          } catch (error) {
            expect(error).toMatchObject({ name: 'StompFault', code: 'invalid-utf8' });
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('can be encoded again once it was decoded, in the same version', () => {
    fc.assert(
      fc.property(streams, settings, (stream, { from, version }) => {
        const { frames } = decodeAll(new StompDecoder({ from, version, limits }), [stream]);
        for (const { command, headers, body } of frames) {
          const others = headers.filter((_, at) => headers[at - (at % 2)] !== 'content-length');
          const again = new StompDecoder({ from, version });
          again.push(
            mayHaveBody(command)
              ? encodeFrame(command, others, body, version)
              : encodeFrame(command, others, '', version),
          );
          const frame = again.next();
          expect(frame?.headers.slice(0, others.length)).toEqual(others);
          expect(frame?.body).toEqual(body);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('lone surrogates in a message are a fault', () => {
    const units = fc.array(fc.constantFrom('SEND\n', 'a:b\n', '\n', '\0', '\ud800', '\udc00', '你'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(units, { maxLength: 4 }), (messages) => {
        const texts = messages.map((parts) => parts.join(''));
        const outcome = decodeAll(new StompDecoder({ from: 'client', limits }), texts);
        if (outcome.fault === undefined) expect(texts.every((each) => each.isWellFormed())).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the work grows with what comes, not with how it comes', () => {
  const megabyte = 1_000_000;
  const wide = {
    ...limits,
    maxBodyBytes: megabyte,
    maxBufferedBytes: 2 * megabyte,
    maxFramesPerPush: megabyte,
  };

  /** Frames, and what was done for each octet. */
  function measure(messages: Iterable<string | Uint8Array>, octets: number) {
    const decoder = new StompDecoder({ from: 'client', limits: wide });
    const { frames, fault, peakBufferedBytes } = decodeAll(decoder, messages);
    return { frames: frames.length, fault: fault?.code, perByte: decoder.work / octets, peakBufferedBytes };
  }

  function* single(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
  }

  function* singleText(text: string): Generator<string> {
    for (const character of text) yield character;
  }

  test.each([
    ['a body with its length', encodeFrame('SEND', [], 'x'.repeat(300_000))],
    ['a body without its length', `SEND\n\n${'x'.repeat(300_000)}\0`],
    ['many small frames', 'ACK\nid:1\n\n\0'.repeat(30_000)],
    ['line ends', '\n'.repeat(300_000)],
    ['line ends with carriage returns', '\r\n'.repeat(150_000)],
  ])('%s, in single bytes and characters', (_, text) => {
    const bytes = toBytes(text);
    for (const messages of [
      single(bytes),
      singleText(text),
      [text],
      [bytes],
      [text.slice(0, -1), text.slice(-1)],
    ]) {
      const { fault, perByte, peakBufferedBytes } = measure(messages, bytes.length);
      expect(fault).toBeUndefined();
      expect(perByte).toBeLessThanOrEqual(workPerByte);
      expect(peakBufferedBytes).toBeLessThanOrEqual(wide.maxBufferedBytes);
    }
  });

  test('headers without end are refused at the limit, in single bytes', () => {
    for (const [line, code] of [
      ['a', 'header-line-too-long'],
      ['a:b\n', 'too-many-headers'],
      [`a:${'b'.repeat(90)}\n`, 'headers-too-large'],
      ['\r', 'header-line-too-long'],
    ] as const) {
      const { fault, perByte, peakBufferedBytes } = measure(
        single(toBytes(`SEND\n${line.repeat(10_000)}`)),
        600,
      );
      expect(fault).toBe(code);
      expect(perByte).toBeLessThanOrEqual(workPerByte);
      expect(peakBufferedBytes).toBeLessThanOrEqual(1_024);
    }
  });

  test('a body without end is refused at the limit', () => {
    const { fault, peakBufferedBytes } = measure(
      (function* () {
        yield 'SEND\n\n';
        for (;;) yield new Uint8Array(10_000).fill(120);
      })(),
      megabyte,
    );
    expect(fault).toBe('body-too-large');
    expect(peakBufferedBytes).toBeLessThanOrEqual(wide.maxBufferedBytes);
  });
});
