export interface Stereo {
  readonly sampleRate: number;
  readonly left: Float32Array;
  readonly right: Float32Array;
}

const headerBytes = 44;

/** A WAV file with 16 bits a sample. */
export function wavOf({ sampleRate, left, right }: Stereo): Uint8Array<ArrayBuffer> {
  const dataBytes = left.length * 4;
  const bytes = new Uint8Array(headerBytes + dataBytes);
  const view = new DataView(bytes.buffer);
  const text = (offset: number, value: string) => bytes.set(new TextEncoder().encode(value), offset);
  text(0, 'RIFF');
  view.setUint32(4, headerBytes - 8 + dataBytes, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * 4, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, dataBytes, true);
  for (let i = 0; i < left.length; i++) {
    view.setInt16(headerBytes + i * 4, Math.round((left[i] ?? 0) * 32767), true);
    view.setInt16(headerBytes + i * 4 + 2, Math.round((right[i] ?? 0) * 32767), true);
  }
  return bytes;
}
