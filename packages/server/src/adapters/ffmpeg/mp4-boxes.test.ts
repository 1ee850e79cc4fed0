import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { codecsOf, isCutMp4 } from './mp4-boxes.ts';

function box(type: string, ...body: Uint8Array[]): Buffer {
  const content = Buffer.concat(body);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.byteLength + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
}

const esds = box(
  'esds',
  Buffer.from('000000000319000100041140150000000001f4000001f40005021190060102', 'hex'),
);
const avc1 = box('avc1', Buffer.alloc(78), box('avcC', Buffer.from([1, 0x64, 0, 0x1f, 0xff])));
const track = (entry: Buffer) =>
  box('trak', box('mdia', box('minf', box('stbl', box('stsd', Buffer.alloc(8), entry)))));

test('codec strings come from the boxes', () => {
  const sound = track(box('mp4a', Buffer.alloc(28), esds));
  expect(codecsOf(box('moov', track(avc1), sound))).toBe('avc1.64001f,mp4a.40.2');
  expect(codecsOf(box('moov', track(avc1)))).toBe('avc1.64001f');
  expect(() => codecsOf(box('moov', sound))).toThrow('avcC');
});

const isCut = (file: Buffer) => isCutMp4(file.byteLength, async (start, end) => file.subarray(start, end));

describe('isCutMp4', () => {
  const whole = Buffer.concat([
    box('ftyp', Buffer.alloc(16)),
    box('mdat', Buffer.alloc(100)),
    box('moov', Buffer.alloc(50)),
  ]);

  test('a whole file is not cut, and without its last byte it is, wherever the cut is', async () => {
    expect(await isCut(whole)).toBe(false);
    for (let size = 25; size < whole.byteLength; size++)
      expect(await isCut(whole.subarray(0, size))).toBe(true);
  });

  test('large sizes and a box up to the end', async () => {
    const large = Buffer.from('000000016d64617400000000ffffffff00', 'hex');
    expect(await isCut(large)).toBe(true);
    const open = Buffer.from('000000006d64617400', 'hex');
    expect(await isCut(Buffer.concat([box('moov'), open]))).toBe(false);
  });

  test('any bytes come to an end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(typeof (await isCut(Buffer.from(bytes)))).toBe('boolean');
      }),
    );
  });
});
