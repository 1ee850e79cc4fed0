import { describe, expect, test } from 'bun:test';
import { StompDecoder, type StompDecoderOptions } from './decoder.ts';
import { StompFault, type StompFaultCode } from './fault.ts';
import { detached, header, type StompFrame } from './frame.ts';

const utf8 = new TextEncoder();

function decode(message: string | Uint8Array, options?: Partial<StompDecoderOptions>): StompFrame[] {
  const decoder = new StompDecoder({ from: 'client', ...options });
  decoder.push(message);
  return drain(decoder);
}

function drain(decoder: StompDecoder): StompFrame[] {
  const frames: StompFrame[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  return frames;
}

/** The same message as text, as bytes, and byte by byte: all must be read alike. */
const ways: readonly (readonly [
  string,
  (message: string, options?: Partial<StompDecoderOptions>) => StompFrame[],
])[] = [
  ['text', decode],
  ['bytes', (message, options) => decode(utf8.encode(message), options)],
  [
    'single bytes',
    (message, options) => {
      const decoder = new StompDecoder({ from: 'client', ...options });
      return [...utf8.encode(message)].flatMap((byte) => {
        decoder.push(new Uint8Array([byte]));
        return drain(decoder);
      });
    },
  ],
];

function faultOf(work: () => unknown): StompFaultCode | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof StompFault) return error.code;
    throw error;
  }
  return undefined;
}

const limits = {
  maxHeaders: 3,
  maxHeaderLineBytes: 20,
  maxHeaderBytes: 50,
  maxBodyBytes: 10,
  maxBufferedBytes: 300,
  maxFramesPerPush: 2,
};

describe.each(ways)('frames that arrive as %s', (_, read) => {
  const one = (message: string, options?: Partial<StompDecoderOptions>) => {
    const [frame, ...others] = read(message, options);
    if (frame === undefined || others.length > 0) throw new Error('one frame was expected');
    return frame;
  };
  const fault = (message: string, options?: Partial<StompDecoderOptions>) =>
    faultOf(() => read(message, options));

  test('have command, headers in their order, and body', () => {
    const frame = one('SEND\ndestination:/app/a\nfoo: bar \n\nhello\0');
    expect(frame.command).toBe('SEND');
    expect(frame.headers).toEqual(['destination', '/app/a', 'foo', ' bar ']);
    expect(frame.text).toBe('hello');
    expect(frame.body).toEqual(utf8.encode('hello'));
  });

  test('may have neither headers nor body', () => {
    expect(one('DISCONNECT\n\n\0')).toMatchObject({ command: 'DISCONNECT', headers: [], text: '' });
  });

  test('follow each other, with line ends between them', () => {
    const frames = read('\n\r\nACK\nid:1\n\n\0\n\n\nACK\nid:2\n\n\0ACK\nid:3\n\n\0\r\n');
    expect(frames.map((frame) => header(frame, 'id'))).toEqual(['1', '2', '3']);
  });

  test('of a repeated header give the first value', () => {
    expect(header(one('SEND\nfoo:World\nfoo:Hello\n\n\0'), 'foo')).toBe('World');
  });

  test('end their lines with CR LF, in 1.2 and before a version is agreed upon', () => {
    expect(one('SEND\r\nfoo:bar\r\n\r\nhello\0').headers).toEqual(['foo', 'bar']);
    expect(one('CONNECT\r\nhost:a\r\n\r\n\0', { version: '1.0' }).headers).toEqual(['host', 'a']);
    expect(fault('SEND\r\nfoo:bar\n\n\0', { version: '1.1' })).toBe('unknown-command');
    expect(one('SEND\nfoo:bar\r\n\n\0', { version: '1.1' }).headers).toEqual(['foo', 'bar\r']);
  });

  test('are unescaped as their version has it, names and values', () => {
    const escaped = 'SEND\na\\cb:c\\nd\\\\e\\c\n\n\0';
    expect(one(escaped).headers).toEqual(['a:b', 'c\nd\\e:']);
    expect(one(escaped, { version: '1.1' }).headers).toEqual(['a:b', 'c\nd\\e:']);
    expect(one(escaped, { version: '1.0' }).headers).toEqual(['a\\cb', 'c\\nd\\\\e\\c']);
    expect(one('SEND\na:\\r\\\\r\n\n\0').headers).toEqual(['a', '\r\\r']);
    expect(fault('SEND\na:\\r\n\n\0', { version: '1.1' })).toBe('undefined-escape');
  });

  test.each(['\\t', '\\', '\\C', '\\0'])('with the undefined escape %s are refused', (sequence) => {
    expect(fault(`SEND\na:b${sequence}\n\n\0`)).toBe('undefined-escape');
    expect(fault(`SEND\na${sequence}:b\n\n\0`)).toBe('undefined-escape');
  });

  test('of the handshake have no escapes', () => {
    expect(one('CONNECT\npasscode:a\\cb:c\\\n\n\0').headers).toEqual(['passcode', 'a\\cb:c\\']);
    expect(one('STOMP\npasscode:\\t\n\n\0').headers).toEqual(['passcode', '\\t']);
    expect(one('CONNECTED\nserver:\\t\n\n\0', { from: 'server' }).headers).toEqual(['server', '\\t']);
  });

  test('may have colons in a value, and an empty value', () => {
    expect(one('SEND\na:b:c:\nd:\n\n\0').headers).toEqual(['a', 'b:c:', 'd', '']);
  });

  test('count content-length in octets', () => {
    expect(one('SEND\ncontent-length:9\n\n你好é!\0').text).toBe('你好é!');
    expect(one('SEND\ncontent-length:4\n\n😀\0').text).toBe('😀');
    expect(one('SEND\ncontent-length:0\n\n\0').text).toBe('');
    expect(one('SEND\ncontent-length:007\n\n1234567\0').text).toBe('1234567');
  });

  test('may have NUL in the body when content-length tells its end', () => {
    const [first, second] = read('SEND\ncontent-length:5\n\na\0b\0\0\0SEND\n\na\0');
    expect([first?.text, second?.text]).toEqual(['a\0b\0\0', 'a']);
  });

  test('use the first content-length only', () => {
    expect(one('SEND\ncontent-length:3\ncontent-length:x\n\na\0b\0').text).toBe('a\0b');
  });

  test('whose body does not end where content-length says are refused', () => {
    expect(fault('SEND\ncontent-length:1\n\né1\0')).toBe('missing-nul');
    expect(fault('SEND\ncontent-length:2\n\né1\0')).toBe('missing-nul');
    expect(fault('SEND\ncontent-length:4\n\né1\0a')).toBe('missing-nul');
    expect(fault('SEND\ncontent-length:5\n\né1\0é\0')).toBe('missing-nul');
    expect(fault('SEND\ncontent-length:2\n\nabc\0')).toBe('missing-nul');
    expect(fault('SEND\ncontent-length:2\n\n😀\0')).toBe('missing-nul');
  });

  test.each(['', ' 1', '1 ', '-1', '+1', '1e1', '0x1', '1.0', '\\c', '١'])(
    'with the content-length "%s" are refused',
    (length) => {
      expect(fault(`SEND\ncontent-length:${length}\n\na\0`)).toBe('invalid-content-length');
      expect(fault(`SEND\ncontent-length:${length}\n\na\0`, { version: '1.0' })).toBe(
        'invalid-content-length',
      );
    },
  );

  test('keep a byte order mark', () => {
    expect(one('SEND\na:\ufeffb\n\n\ufeffc\0')).toMatchObject({ headers: ['a', '\ufeffb'], text: '\ufeffc' });
  });

  test.each([
    ['HELLO\n\n\0', 'unknown-command'],
    ['send\n\n\0', 'unknown-command'],
    ['SEND \n\n\0', 'unknown-command'],
    ['SENDING-A-LOT', 'unknown-command'],
    ['\0', 'unknown-command'],
    ['SEND\0', 'unknown-command'],
    ['\0\n', 'unknown-command'],
    ['\rSEND\n\n\0', 'unknown-command'],
    ['MESSAGE\n\n\0', 'unknown-command'],
    ['SEND\nno colon\n\n\0', 'malformed-header'],
    ['SEND\n:no name\n\n\0', 'malformed-header'],
    ['SEND\n \n\n\0', 'malformed-header'],
    ['SEND\na:b\rc\n\n\0', 'malformed-header'],
    ['SEND\na:b\r\r\n\n\0', 'malformed-header'],
    ['SEND\na:b\0\n\n\0', 'malformed-header'],
    ['SEND\n\0', 'malformed-header'],
    ['ACK\nid:1\n\nbody\0', 'unexpected-body'],
    ['ACK\nid:1\ncontent-length:1\n\na\0', 'unexpected-body'],
    ['ACK\nid:1\ncontent-length:0\n\n\0', undefined],
  ] as const)('%j: %s', (message, code) => {
    expect(fault(message)).toBe(code);
  });

  test('of the server are only taken from a server', () => {
    expect(one('MESSAGE\n\n\0', { from: 'server' }).command).toBe('MESSAGE');
    expect(fault('SEND\n\n\0', { from: 'server' })).toBe('unknown-command');
  });

  test.each([
    ['SEND\na:1\nb:2\nc:3\n\n\0', undefined],
    ['SEND\na:1\nb:2\nc:3\nd:4\n\n\0', 'too-many-headers'],
    ['SEND\na:345678901234567890\n\n\0', undefined],
    ['SEND\na:345678901234567890\r\n\r\n\0', undefined],
    ['SEND\na:3456789012345678901\n\n\0', 'header-line-too-long'],
    ['SEND\na:34567890123456789012', 'header-line-too-long'],
    ['SEND\na:34567890123456é90\n\n\0', undefined],
    ['SEND\na:345678901234567é90\n\n\0', 'header-line-too-long'],
    ['SEND\na:345678901234567890\nb:345678901234567890\n\n\0', undefined],
    ['SEND\na:345678901234567890\nb:345678901234567890\nc:\n\n\0', 'headers-too-large'],
    ['SEND\n\n1234567890\0', undefined],
    ['SEND\n\n12345678901\0', 'body-too-large'],
    ['SEND\n\n12345678901', 'body-too-large'],
    ['SEND\n\n12345678é\0', undefined],
    ['SEND\n\n123456789é\0', 'body-too-large'],
    ['SEND\ncontent-length:10\n\n1234567890\0', undefined],
    ['SEND\ncontent-length:11\n\n', 'body-too-large'],
    [`SEND\ncontent-length:${'9'.repeat(5)}\n\n`, 'body-too-large'],
  ] as const)('within limits: %j: %s', (message, code) => {
    expect(fault(message, { limits })).toBe(code);
  });
});

describe('a decoder', () => {
  test('takes a frame from pieces, text and bytes mixed', () => {
    const decoder = new StompDecoder({ from: 'client' });
    const pieces = ['SE', 'ND\nfoo:b', utf8.encode('ar\ncontent-len'), 'gth:5\n', '\n12', utf8.encode('345')];
    for (const piece of pieces) {
      decoder.push(piece);
      expect(decoder.next()).toBeUndefined();
    }
    decoder.push('\0ACK\nid:1\n\n\0\n');
    expect(drain(decoder).map((frame) => frame.command)).toEqual(['SEND', 'ACK']);
    expect(decoder.heartBeats).toBe(1);
    expect(decoder.bufferedBytes).toBe(0);
    decoder.push('ACK\nid:2\n\n\0');
    expect(drain(decoder)).toHaveLength(1);
  });

  test('takes messages that are pushed before the last one was used up', () => {
    const decoder = new StompDecoder({ from: 'client' });
    for (const id of [1, 2, 3, 4]) decoder.push(`ACK\nid:${id}\n\n\0`);
    decoder.push(utf8.encode('ACK\nid:5\n\n\0'));
    expect(drain(decoder).map((frame) => header(frame, 'id'))).toEqual(['1', '2', '3', '4', '5']);
  });

  test('counts heart-beats', () => {
    const decoder = new StompDecoder({ from: 'client' });
    for (const message of ['\n', utf8.encode('\n'), '\r\n', '\r', '\n', '\n\n']) {
      decoder.push(message);
      expect(decoder.next()).toBeUndefined();
    }
    expect(decoder.heartBeats).toBe(6);
    expect(decoder.bufferedBytes).toBe(0);
  });

  test('reads the frame after CONNECT as the version says that was set in between', () => {
    const decoder = new StompDecoder({ from: 'client' });
    decoder.push('CONNECT\nlogin:a\\cb\n\n\0SEND\na:b\\r\n\n\0');
    expect(decoder.next()?.headers).toEqual(['login', 'a\\cb']);
    decoder.version = '1.0';
    expect(decoder.next()?.headers).toEqual(['a', 'b\\r']);
    expect(decoder.version).toBe('1.0');
  });

  test('gives values that can be kept without the message', () => {
    const [frame] = decode('SUBSCRIBE\nid:é\ufeff1\n\n\0');
    expect(detached(header(frame ?? { headers: [] }, 'id') ?? '')).toBe('é\ufeff1');
  });

  test('gives the frames before a fault, and nothing after it', () => {
    const decoder = new StompDecoder({ from: 'client' });
    decoder.push('ACK\nid:1\n\n\0NONSENSE\n\n\0ACK\nid:2\n\n\0');
    expect(decoder.next()?.command).toBe('ACK');
    for (let i = 0; i < 3; i++) expect(faultOf(() => decoder.next())).toBe('unknown-command');
    expect(faultOf(() => decoder.push('ACK\nid:3\n\n\0'))).toBe('unknown-command');
    expect(decoder.bufferedBytes).toBe(0);
  });

  test('refuses what is no UTF-8: in headers at once, in bodies when their text is asked for', () => {
    const bad = (start: string, end: string) =>
      new Uint8Array([...utf8.encode(start), 0xc3, 0x28, ...utf8.encode(end)]);
    expect(faultOf(() => decode(bad('SEND\na:', '\n\n\0')))).toBe('invalid-utf8');
    const [frame] = decode(bad('SEND\ncontent-length:2\n\n', '\0'));
    expect(frame?.body).toEqual(new Uint8Array([0xc3, 0x28]));
    expect(faultOf(() => frame?.text)).toBe('invalid-utf8');
  });

  test('refuses lone surrogates, which no text message of a WebSocket can hold', () => {
    expect(faultOf(() => decode('SEND\n\n\ud800\0'))).toBe('invalid-utf8');
    const halves = new StompDecoder({ from: 'client' });
    expect(faultOf(() => halves.push('SEND\n\n\ud83d'))).toBe('invalid-utf8');
  });

  test('counts the frames of one message', () => {
    const decoder = new StompDecoder({ from: 'client', limits });
    const ack = 'ACK\nid:1\n\n\0';
    for (let i = 0; i < 3; i++) {
      decoder.push(ack.repeat(2));
      expect(drain(decoder)).toHaveLength(2);
    }
    decoder.push(ack.repeat(3));
    expect(faultOf(() => drain(decoder))).toBe('too-many-frames');
  });

  test('refuses to hold more than its limit for one who does not take frames', () => {
    const decoder = new StompDecoder({ from: 'client', limits });
    const push = () => {
      for (let i = 0; i < 100; i++) decoder.push('ACK\nid:1\n\n\0');
    };
    expect(faultOf(push)).toBe('buffer-full');
    expect(decoder.bufferedBytes).toBe(0);
  });

  test('keeps nothing of a body that is declared too large', () => {
    for (const message of ['SEND\ncontent-length:1000000000\n\n', 'SEND\ncontent-length:1000000000\n\nabc']) {
      for (const form of [message, utf8.encode(message)]) {
        const decoder = new StompDecoder({ from: 'client' });
        decoder.push(form);
        expect(faultOf(() => decoder.next())).toBe('body-too-large');
        expect(decoder.bufferedBytes).toBe(0);
      }
    }
  });

  test('copies the beginning of a frame, so that its message may be used again', () => {
    const decoder = new StompDecoder({ from: 'client' });
    const message = utf8.encode('SEND\n\nhe');
    decoder.push(message);
    expect(decoder.next()).toBeUndefined();
    message.fill(120);
    decoder.push('llo\0');
    expect(decoder.next()?.text).toBe('hello');
  });

  test('does not keep a large buffer for the small beginning of the next frame', () => {
    const decoder = new StompDecoder({ from: 'client' });
    decoder.push(`SEND\n\n${'x'.repeat(50_000)}`);
    expect(drain(decoder)).toHaveLength(0);
    expect(decoder.bufferedBytes).toBeGreaterThan(50_000);
    decoder.push('\0SE');
    expect(drain(decoder)).toHaveLength(1);
    expect(decoder.bufferedBytes).toBeLessThan(1_000);
  });

  test('leaves the bodies of earlier frames alone when it goes on', () => {
    const decoder = new StompDecoder({ from: 'client' });
    const bodies: Uint8Array[] = [];
    for (let round = 0; round < 20; round++) {
      for (const piece of [
        `SEND\n\nbody ${round}`,
        `\0SEND\n\nother ${round}\0SEND\n\nthird`,
        ` ${round}\0`,
      ]) {
        decoder.push(utf8.encode(piece));
        bodies.push(...drain(decoder).map((frame) => frame.body));
      }
    }
    expect(bodies.map((body) => new TextDecoder().decode(body))).toEqual(
      Array.from({ length: 20 }, (_, round) => [`body ${round}`, `other ${round}`, `third ${round}`]).flat(),
    );
  });
});
