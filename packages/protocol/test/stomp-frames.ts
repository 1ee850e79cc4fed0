import fc from 'fast-check';
import {
  CLIENT_COMMANDS,
  type ClientCommand,
  encodeFrame,
  mayHaveBody,
  type StompDecoder,
  StompFault,
  type StompFrame,
  type StompHeaders,
  type StompVersion,
} from '../src/stomp/index.ts';

/** A frame as a test wants it, before it is encoded. */
export interface Wanted {
  readonly command: ClientCommand;
  readonly headers: StompHeaders;
  readonly body: string | Uint8Array;
}

const utf8 = new TextEncoder();

/** Text with what hurts: delimiters, escapes, NUL where it may be, all planes of Unicode. */
function text(forbidden: RegExp, maxLength = 20): fc.Arbitrary<string> {
  const character = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', 'z', 'n', 'c', 'r', ' ', '-', '0') },
    { weight: 2, arbitrary: fc.constantFrom(':', '\\', '\n', '\r', '\0', '\ufeff', 'é', '你', '😀') },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  );
  return fc
    .array(character, { maxLength })
    .map((characters) => characters.filter((each) => !forbidden.test(each)).join(''));
}

const bodies = fc.oneof(
  text(/(?!)/, 60),
  fc.uint8Array({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 2_000 }),
);

/** What the version cannot say in a header: name, then value. */
function unsayable(version: StompVersion, command: ClientCommand): readonly [RegExp, RegExp] {
  if (command === 'CONNECT' || command === 'STOMP') return [/[\0\r\n:]/, /[\0\r\n]/];
  return version === '1.0' ? [/[\0\n:]/, /[\0\n]/] : [/\0/, /\0/];
}

export function wantedFrames(version: StompVersion): fc.Arbitrary<Wanted> {
  return fc.constantFrom(...CLIENT_COMMANDS).chain((command) => {
    const [inName, inValue] = unsayable(version, command);
    const name = fc.oneof(fc.constantFrom('destination', 'receipt', 'id', 'foo'), text(inName));
    const pair = fc.tuple(
      name.filter((each) => each !== '' && each !== 'content-length'),
      text(inValue, 40),
    );
    return fc.record({
      command: fc.constant(command),
      headers: fc.array(pair, { maxLength: 8 }).map((pairs) => pairs.flat()),
      body: mayHaveBody(command) ? bodies : fc.constant(''),
    });
  });
}

export function encode({ command, headers, body }: Wanted, version: StompVersion): string | Uint8Array {
  return typeof body === 'string'
    ? encodeFrame(command, headers, body, version)
    : encodeFrame(command, headers, body, version);
}

export function toBytes(message: string | Uint8Array): Uint8Array {
  return typeof message === 'string' ? utf8.encode(message) : message;
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Cuts `bytes` into messages: text where the piece happens to be UTF-8 and is wanted as text. */
export function cut(
  bytes: Uint8Array,
  cuts: readonly number[],
  asText: readonly boolean[],
): (string | Uint8Array)[] {
  const places = [...new Set(cuts.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...places, bytes.length];
  return edges.slice(1).map((end, index) => {
    const piece = bytes.slice(edges[index], end);
    if (asText[index % Math.max(asText.length, 1)] !== true) return piece;
    const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(piece);
    return decoded.includes('\ufffd') ? piece : decoded;
  });
}

export interface Outcome {
  readonly frames: StompFrame[];
  readonly fault: StompFault | undefined;
  readonly peakBufferedBytes: number;
}

/** Everything that comes of the messages. Any exception but a fault is the test’s failure. */
export function decodeAll(decoder: StompDecoder, messages: Iterable<string | Uint8Array>): Outcome {
  const frames: StompFrame[] = [];
  let peakBufferedBytes = 0;
  try {
    for (const message of messages) {
      decoder.push(message);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
      peakBufferedBytes = Math.max(peakBufferedBytes, decoder.bufferedBytes);
    }
  } catch (error) {
    if (error instanceof StompFault) return { frames, fault: error, peakBufferedBytes };
    throw error;
  }
  return { frames, fault: undefined, peakBufferedBytes };
}
