import type { Shelf } from '../../ports/timeline-store/port.ts';

/** What is kept of a shelf beside its entries. */
export interface Header {
  readonly token: string;
  readonly capacity: number;
  isReady: boolean;
  floor: string;
  /** When it was last read, to about a sixteenth of the time after which it counts as idle. */
  readAtMs: number;
  /** It holds at most so many entries. Counting is done only when this says that it may be too many. */
  atMost: number;
}

const tokenBytes = 12;
const headerBytes = 19 + tokenBytes;
const shelfKeyBytes = 9;

/** Big-endian, so that the shelves of one kind lie together. The buffer is used again by the next call. */
const shelfKey = Buffer.alloc(shelfKeyBytes);
export function shelfKeyOf({ kind, ownerId }: Shelf): Buffer {
  shelfKey.writeUInt8(kind === 'inbox' ? 1 : 2);
  shelfKey.writeBigUInt64BE(BigInt(ownerId), 1);
  return shelfKey;
}

export const shelfOf = (key: Buffer): Shelf => ({
  kind: key.readUInt8() === 1 ? 'inbox' : 'outbox',
  ownerId: key.readBigUInt64BE(1).toString(),
});

/** State, capacity, floor, last read, token. */
export function bytesOfHeader(header: Header): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes);
  bytes.writeUInt8(header.isReady ? 1 : 0);
  bytes.writeUInt16BE(header.capacity, 1);
  bytes.writeBigUInt64BE(BigInt(header.floor), 3);
  bytes.writeDoubleBE(header.readAtMs, 11);
  bytes.write(header.token, 19, 'base64url');
  return bytes;
}

export function headerOf(bytes: Buffer, atMost: number): Header {
  if (bytes.length !== headerBytes) throw new Error(`a header of ${bytes.length} bytes`);
  return {
    isReady: bytes.readUInt8() === 1,
    capacity: bytes.readUInt16BE(1),
    floor: bytes.readBigUInt64BE(3).toString(),
    readAtMs: bytes.readDoubleBE(11),
    token: bytes.toString('base64url', 19),
    atMost,
  };
}
