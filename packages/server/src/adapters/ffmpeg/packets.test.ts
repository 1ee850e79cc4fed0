import { describe, expect, test } from 'bun:test';
import type { SourceDetails } from './inspect.ts';
import { defaultMediaLimits } from './limits.ts';
import { PacketTally } from './packets.ts';

const details: SourceDetails = {
  videoIndex: 0,
  audioIndex: 1,
  videoCodec: 'h264',
  audioCodec: 'aac',
  codedWidth: 320,
  codedHeight: 180,
  width: 320,
  height: 180,
  baseRate: { numerator: 25, denominator: 1 },
  isInterlaced: false,
  transfer: 'sdr',
  promisedMs: 2000,
  promisedFrames: 50,
};

function tallyOf(frames: number, change: Partial<SourceDetails> = {}) {
  const tally = new PacketTally({ ...details, ...change }, defaultMediaLimits);
  for (let i = 0; i < frames; i++) tally.add(`0,${(i / 25).toFixed(6)},N/A,0.040000`);
  return tally;
}

describe('PacketTally', () => {
  test('adds up the picture and ignores other streams', () => {
    const tally = tallyOf(50);
    tally.add('7,100.0,100.0,1.0');
    tally.add('');
    expect(tally.durationMs).toBe(2000);
    expect(tally.videoPackets).toBe(50);
    expect(() => tally.checkComplete()).not.toThrow();
  });

  test('misses what the container promised', () => {
    expect(() => tallyOf(40).checkComplete()).toThrow(expect.objectContaining({ code: 'media-truncated' }));
    expect(() => tallyOf(40, { promisedMs: undefined }).checkComplete()).toThrow();
    expect(() =>
      tallyOf(40, { promisedMs: undefined, promisedFrames: undefined }).checkComplete(),
    ).not.toThrow();
    expect(() => tallyOf(0).checkComplete()).toThrow();
  });

  test('stops when there is too much to decode', () => {
    const limits = { ...defaultMediaLimits, maxDecodedPixels: 320 * 180 * 3 };
    const tally = new PacketTally(details, limits);
    expect([0, 1, 2, 3].map((i) => tally.add(`0,${i},${i},1`))).toEqual([true, true, true, false]);
    expect(tally.isTooMuch).toBe(true);
  });

  test('falls back on decoding times', () => {
    const tally = new PacketTally(details, defaultMediaLimits);
    tally.add('0,N/A,0.000000,N/A');
    tally.add('0,N/A,1.500000,0.500000');
    expect(tally.durationMs).toBe(2000);
  });
});
