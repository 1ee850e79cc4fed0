/** Just enough of ISO BMFF to read codec strings from an init segment and to see that a file was cut. */

interface Box {
  readonly type: string;
  readonly body: Uint8Array;
}

const fourCharacters = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));

export function* boxesIn(bytes: Uint8Array): Iterable<Box> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 8 <= bytes.byteLength) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > bytes.byteLength) return;
    yield { type: fourCharacters(bytes, at + 4), body: bytes.subarray(at + 8, at + size) };
    at += size;
  }
}

const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl']);
/** Bytes of a sample entry before its own boxes. */
const entryHeaderBytes: Readonly<Record<string, number>> = { avc1: 78, mp4a: 28 };

/** Every box of these types, however deep. */
function* find(bytes: Uint8Array, wanted: ReadonlySet<string>): Iterable<Box> {
  for (const box of boxesIn(bytes)) {
    if (wanted.has(box.type)) yield box;
    else if (containers.has(box.type)) yield* find(box.body, wanted);
    else if (box.type === 'stsd') yield* find(box.body.subarray(8), wanted);
    else if (box.type in entryHeaderBytes) yield* find(box.body.subarray(entryHeaderBytes[box.type]), wanted);
  }
}

const hexByte = (value: number) => value.toString(16).padStart(2, '0');

/** RFC 6381 codec strings of an H.264 + AAC init segment, as EXT-X-STREAM-INF wants them. */
export function codecsOf(initSegment: Uint8Array): string {
  const codecs: string[] = [];
  for (const { type, body } of find(initSegment, new Set(['avcC', 'esds']))) {
    if (type === 'avcC') {
      codecs.push(`avc1.${[...body.subarray(1, 4)].map(hexByte).join('')}`);
    } else {
      codecs.push(`mp4a.40.${audioObjectType(body)}`);
    }
  }
  if (!codecs[0]?.startsWith('avc1.')) throw new Error('The init segment holds no avcC box');
  return codecs.join(',');
}

/** Walks the descriptors of an `esds` box down to AudioSpecificConfig, whose first five bits are the type. */
function audioObjectType(esds: Uint8Array): number {
  // Version and flags, then ES_Descriptor (3) > DecoderConfigDescriptor (4) > DecoderSpecificInfo (5).
  const headerBytes: Readonly<Record<number, number>> = { 3: 3, 4: 13 };
  let at = 4;
  while (at < esds.byteLength) {
    const tag = esds[at++] ?? 0;
    while ((esds[at] ?? 0) & 0x80) at++;
    at++;
    if (tag === 5) return (esds[at] ?? 0) >> 3;
    at += headerBytes[tag] ?? esds.byteLength;
  }
  throw new Error('The esds box holds no AudioSpecificConfig');
}

const topLevelTypes = new Set([
  'ftyp',
  'moov',
  'mdat',
  'moof',
  'free',
  'skip',
  'wide',
  'uuid',
  'sidx',
  'styp',
  'udta',
  'meta',
]);

/**
 * Whether this was an MP4 or QuickTime file that lost its end: a box promises more bytes than the file has, or all boxes
 * are whole and the index is not among them. Follows the top-level boxes by their sizes, reading only their headers.
 */
export async function isCutMp4(
  sizeBytes: number,
  read: (start: number, end: number) => Promise<Uint8Array>,
): Promise<boolean> {
  const seen = new Set<string>();
  let at = 0;
  // No real file has more than a box or two for each second.
  for (let count = 0; count < 10_000 && at < sizeBytes; count++) {
    const header = await read(at, Math.min(at + 16, sizeBytes));
    if (header.byteLength < 8) return seen.size > 0;
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const type = fourCharacters(header, 4);
    if (!topLevelTypes.has(type)) return false;
    seen.add(type);
    const shortSize = view.getUint32(0);
    if (shortSize === 1 && header.byteLength < 16) return true;
    const size =
      shortSize === 1 ? Number(view.getBigUint64(8)) : shortSize === 0 ? sizeBytes - at : shortSize;
    if (size < 8) return false;
    at += size;
    if (at > sizeBytes) return true;
  }
  return seen.has('mdat') && !seen.has('moov') && !seen.has('moof');
}
