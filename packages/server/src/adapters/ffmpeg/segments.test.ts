import { expect, test } from 'bun:test';
import { bitratesOf, readMediaPlaylist, writeMediaPlaylist } from './segments.ts';

const segment = (seconds: number, bytes: number) => ({ name: `${bytes}.m4s`, seconds, bytes });

test('a playlist reads back as written, also with folders in the names', () => {
  const segments = [segment(2, 1), segment(2.002, 2), segment(0.5, 3)];
  const text = writeMediaPlaylist(segments);
  expect(readMediaPlaylist(text)).toEqual(segments.map(({ name, seconds }) => ({ name, seconds })));
  expect(text).toContain('#EXT-X-TARGETDURATION:2\n');
  expect(readMediaPlaylist('#EXTM3U\n#EXTINF:2.000000,\n240p/00000.m4s\n')).toEqual([
    { name: '00000.m4s', seconds: 2 },
  ]);
});

test('the target duration is never below a rounded segment', () => {
  expect(writeMediaPlaylist([segment(3.6, 1)])).toContain('#EXT-X-TARGETDURATION:4\n');
});

test('the peak is the largest run, and one frame at the end is no peak', () => {
  expect(bitratesOf([segment(2, 1000), segment(2, 3000)])).toEqual({ peak: 12_000, average: 8_000 });
  const tail = bitratesOf([segment(2, 1000), segment(0.04, 1000)]);
  expect(tail.peak).toBe(Math.round(16_000 / 2.04));
  expect(bitratesOf([segment(0.5, 1000)])).toEqual({ peak: 16_000, average: 16_000 });
});
