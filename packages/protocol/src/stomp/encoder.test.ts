import { describe, expect, test } from 'bun:test';
import { EOL, encodeFrame } from './encoder.ts';

const utf8 = new TextEncoder();

describe('encodeFrame', () => {
  test('writes command, headers, length in octets, body and NUL', () => {
    expect(encodeFrame('SEND', ['destination', '/app/a', 'receipt', ' r '], 'aé你😀')).toBe(
      'SEND\ndestination:/app/a\nreceipt: r \ncontent-length:10\n\naé你😀\0',
    );
    expect(encodeFrame('DISCONNECT', [])).toBe('DISCONNECT\n\n\0');
    expect(encodeFrame('SEND', [], 'a\0b')).toBe('SEND\ncontent-length:3\n\na\0b\0');
  });

  test('makes bytes of a body of bytes', () => {
    expect(encodeFrame('SEND', ['a', 'é'], new Uint8Array([0, 255]))).toEqual(
      new Uint8Array([...utf8.encode('SEND\na:é\ncontent-length:2\n\n'), 0, 255, 0]),
    );
    expect(encodeFrame('SEND', [], new Uint8Array(0))).toEqual(utf8.encode('SEND\ncontent-length:0\n\n\0'));
  });

  test('escapes as the version has it', () => {
    const headers = ['a:b', 'c\nd\\e:😀'];
    expect(encodeFrame('SEND', headers)).toBe('SEND\na\\cb:c\\nd\\\\e\\c😀\n\n\0');
    expect(encodeFrame('SEND', headers, '', '1.1')).toBe('SEND\na\\cb:c\\nd\\\\e\\c😀\n\n\0');
    expect(encodeFrame('SEND', ['a', '\r'])).toBe('SEND\na:\\r\n\n\0');
    expect(encodeFrame('SEND', ['a', '\r'], '', '1.1')).toBe('SEND\na:\r\n\n\0');
    expect(encodeFrame('SEND', ['a', 'b:c\\'], '', '1.0')).toBe('SEND\na:b:c\\\n\n\0');
    expect(encodeFrame('CONNECT', ['passcode', 'b:c\\'])).toBe('CONNECT\npasscode:b:c\\\n\n\0');
  });

  test.each([
    ['NUL in a header', () => encodeFrame('SEND', ['a', '\0'])],
    ['a lone surrogate in a header', () => encodeFrame('SEND', ['a', '\udc00'])],
    ['a lone surrogate in the body', () => encodeFrame('SEND', [], '\ud800')],
    ['a header without a name', () => encodeFrame('SEND', ['', 'a'])],
    ['a header without a value', () => encodeFrame('SEND', ['a'])],
    ['a second content-length', () => encodeFrame('SEND', ['content-length', '1'], 'a')],
    ['a body where none may be', () => encodeFrame('ACK', ['id', '1'], 'a')],
    ['a line feed in 1.0', () => encodeFrame('SEND', ['a', '\n'], '', '1.0')],
    ['a colon in a name in 1.0', () => encodeFrame('SEND', ['a:b', ''], '', '1.0')],
    ['a line feed in the handshake', () => encodeFrame('CONNECT', ['a', '\n'])],
    ['a carriage return in the handshake', () => encodeFrame('CONNECTED', ['a', '\r'])],
  ])('refuses %s', (_, encode) => {
    expect(encode).toThrow('unencodable');
  });

  test('has a line end for a heart-beat', () => {
    expect(EOL).toBe('\n');
  });
});
