import { expect, test } from 'bun:test';
import { firstFiles, startingVariant, variantsOf } from './playlist.ts';

const base = 'https://clips.example/media/v/t/1/master.m3u8';
const master = `#EXTM3U
#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=700000,BANDWIDTH=900000,RESOLUTION=360x640,CODECS="avc1,mp4a"
0/360p/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2500000,RESOLUTION=720x1280
0/720p/index.m3u8
`;
const media = `#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="init.mp4"
#EXTINF:2.0,
seg-0.m4s
#EXTINF:2.0,
seg-1.m4s
`;

test('renditions of a master playlist, and the one to begin with', () => {
  const variants = variantsOf(master, base);
  expect(variants).toEqual([
    { url: 'https://clips.example/media/v/t/1/0/360p/index.m3u8', bandwidth: 900_000 },
    { url: 'https://clips.example/media/v/t/1/0/720p/index.m3u8', bandwidth: 2_500_000 },
  ]);
  expect(startingVariant(variants, 1_500_000)?.bandwidth).toBe(900_000);
  expect(startingVariant(variants, 9_000_000)?.bandwidth).toBe(2_500_000);
  expect(startingVariant(variants, 100_000)?.bandwidth).toBe(900_000);
  expect(startingVariant([], 1)).toBeUndefined();
});

test('the first picture needs the head and one segment', () => {
  expect(firstFiles(media, 'https://clips.example/a/index.m3u8')).toEqual([
    'https://clips.example/a/init.mp4',
    'https://clips.example/a/seg-0.m4s',
  ]);
  expect(firstFiles('#EXTM3U', base)).toEqual([]);
});
