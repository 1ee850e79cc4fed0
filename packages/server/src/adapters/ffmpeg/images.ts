export interface ImageFormat {
  readonly demuxer: string;
  readonly decoder: string;
}

const formats: readonly { magic: RegExp; format: ImageFormat }[] = [
  { magic: /^\xff\xd8\xff/, format: { demuxer: 'jpeg_pipe', decoder: 'mjpeg' } },
  { magic: /^\x89PNG/, format: { demuxer: 'png_pipe', decoder: 'png' } },
  { magic: /^RIFF[\s\S]{4}WEBP/, format: { demuxer: 'webp_pipe', decoder: 'webp' } },
  { magic: /^GIF8[79]a/, format: { demuxer: 'gif', decoder: 'gif' } },
  { magic: /^BM/, format: { demuxer: 'bmp_pipe', decoder: 'bmp' } },
];

/** The kind of picture, from the first 16 bytes of a file. */
export function imageFormatOf(head: Uint8Array): ImageFormat | undefined {
  const text = Buffer.from(head).toString('latin1');
  return formats.find(({ magic }) => magic.test(text))?.format;
}
