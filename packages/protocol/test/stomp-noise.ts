import fc from 'fast-check';
import { encode, join, toBytes, wantedFrames } from './stomp-frames.ts';

interface Change {
  readonly place: number;
  readonly length: number;
  readonly put: Uint8Array;
}

const hurtful = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc
    .constantFrom(
      '\0',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      ':',
      '\\',
      '\\c',
      '\\t',
      'content-length:',
      '9',
      '-',
      'SEND\n',
      '\0\0',
    )
    .map(toBytes),
);
const changes = fc.array(fc.record({ place: fc.nat(5_000), length: fc.nat(6), put: hurtful }), {
  maxLength: 6,
});

function change(bytes: Uint8Array, list: readonly Change[]): Uint8Array {
  return list.reduce((changed, { place, length, put }) => {
    const start = place % (changed.length + 1);
    return join([changed.slice(0, start), put, changed.slice(start + length)]);
  }, bytes);
}

/** Streams near to valid ones, and noise. */
export const streams = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.array(wantedFrames('1.2'), { minLength: 1, maxLength: 4 }), changes)
      .map(([frames, list]) => change(join(frames.map((frame) => toBytes(encode(frame, '1.2')))), list)),
  },
  {
    weight: 1,
    arbitrary: fc.array(hurtful, { maxLength: 60 }).map((parts) => join([toBytes('SEND\n'), ...parts])),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3_000 }) },
);
