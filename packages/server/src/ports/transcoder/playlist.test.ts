import { expect, test } from 'bun:test';
import { masterPlaylist } from './playlist.ts';

test('the smallest rendition comes first, with relative URIs', () => {
  const rendition = {
    frameRate: 29.97,
    codecs: 'avc1.64001f,mp4a.40.2',
    peakBitrate: 2000.5,
    averageBitrate: 1000,
  };
  const text = masterPlaylist([
    { ...rendition, name: '720p', width: 1280, height: 720 },
    { ...rendition, name: '240p', width: 426, height: 240 },
  ]);
  expect(text.split('\n')).toEqual([
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-STREAM-INF:BANDWIDTH=2001,AVERAGE-BANDWIDTH=1000,RESOLUTION=426x240,FRAME-RATE=29.970,CODECS="avc1.64001f,mp4a.40.2"',
    '240p/index.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=2001,AVERAGE-BANDWIDTH=1000,RESOLUTION=1280x720,FRAME-RATE=29.970,CODECS="avc1.64001f,mp4a.40.2"',
    '720p/index.m3u8',
    '',
  ]);
});
