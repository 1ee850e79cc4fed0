const headerBytes = 54;

/** An uncompressed picture; `rgb` runs from the top left. The width must be a multiple of four. */
export function bmpOf(rgb: Uint8ClampedArray, width: number, height: number): Uint8Array<ArrayBuffer> {
  if (width % 4 !== 0) throw new RangeError(`rows of ${width} pixels would need padding`);
  const bytes = new Uint8Array(headerBytes + rgb.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, headerBytes, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  // Negative: from the top down.
  view.setInt32(22, -height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let i = 0; i < rgb.length; i += 3) {
    bytes[headerBytes + i] = rgb[i + 2]!;
    bytes[headerBytes + i + 1] = rgb[i + 1]!;
    bytes[headerBytes + i + 2] = rgb[i]!;
  }
  return bytes;
}
