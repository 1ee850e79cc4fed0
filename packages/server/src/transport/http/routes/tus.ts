import { TUS_CONTENT_TYPE, TUS_EXTENSIONS, TUS_VERSION } from '@hvideo/protocol';
import type { UploadBody, UploadState } from '../../../features/media/index.ts';
import { AppError } from '../../../kernel/errors.ts';

/** Reading and writing the headers of tus 1.0.0. */

export function checkTusVersion(headers: Headers): void {
  if (headers.get('tus-resumable') !== TUS_VERSION) throw new AppError('tus-version');
}

/** How large the file is and what it is called. */
export function fileOf(headers: Headers): { size: number; filename: string; filetype: string } {
  if (headers.has('upload-defer-length') || headers.has('upload-concat')) throw new AppError('tus-extension');
  const metadata = metadataOf(headers.get('upload-metadata') ?? '');
  return {
    size: wholeNumber(headers, 'upload-length'),
    filename: metadata.get('filename')?.slice(0, 255) ?? '',
    filetype: metadata.get('filetype')?.slice(0, 100) ?? '',
  };
}

export function wholeNumber(headers: Headers, name: string): number {
  const text = headers.get(name);
  if (text === null || !/^\d{1,15}$/.test(text))
    throw new AppError('invalid-request', { fields: { [name]: 'must be a whole number' } });
  return Number(text);
}

/** Everything that a database and a terminal can hold; the rest is left out. */
function metadataOf(header: string): Map<string, string> {
  const entries = new Map<string, string>();
  if (header === '') return entries;
  if (header.length > 4096)
    throw new AppError('invalid-request', { fields: { 'upload-metadata': 'is too long' } });
  for (const part of header.split(',')) {
    const match = /^([\x21-\x7e]+)(?: ([A-Za-z0-9+/]*={0,2}))?$/.exec(part.trim());
    if (!match?.[1])
      throw new AppError('invalid-request', {
        fields: { 'upload-metadata': 'must be pairs of key and base64' },
      });
    const value = Buffer.from(match[2] ?? '', 'base64')
      .toString()
      .toWellFormed();
    entries.set(match[1], value.replaceAll(/\p{Cc}/gu, ''));
  }
  return entries;
}

export function checkBodyType(headers: Headers): void {
  if (headers.get('content-type') !== TUS_CONTENT_TYPE) throw new AppError('unsupported-media-type');
}

export function uploadBodyOf(request: Request, signal: AbortSignal): UploadBody {
  const length = request.headers.get('content-length');
  return {
    stream: request.body ?? new Blob([]).stream(),
    length: length === null ? undefined : Number(length),
    checksum: checksumOf(request.headers.get('upload-checksum')),
    signal,
  };
}

const digestBytes = { sha1: 20, sha256: 32 };

function checksumOf(header: string | null): UploadBody['checksum'] {
  if (header === null) return undefined;
  const match = /^(sha1|sha256) ([A-Za-z0-9+/]+={0,2})$/.exec(header.trim());
  const algorithm = match?.[1] as 'sha1' | 'sha256' | undefined;
  const digest = Buffer.from(match?.[2] ?? '', 'base64');
  if (!algorithm || digest.length !== digestBytes[algorithm])
    throw new AppError('invalid-request', {
      fields: { 'upload-checksum': 'must be sha1 or sha256 in base64' },
    });
  return { algorithm, digest };
}

/** What every answer says, also a refusal. */
export const tusHeaders = { 'tus-resumable': TUS_VERSION, 'cache-control': 'no-store' };

export function stateHeaders(state: UploadState): Record<string, string> {
  return {
    ...tusHeaders,
    'upload-offset': String(state.offset),
    ...(state.offset < state.size && { 'upload-expires': state.expiresAt.toUTCString() }),
  };
}

export function metadataHeader({ filename, filetype }: UploadState): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return `filename ${base64(filename)},filetype ${base64(filetype)}`;
}

/** The answer to OPTIONS: what this server can. */
export function capabilityHeaders(maxBytes: number): Record<string, string> {
  return {
    ...tusHeaders,
    'tus-version': TUS_VERSION,
    'tus-extension': TUS_EXTENSIONS,
    'tus-max-size': String(maxBytes),
    'tus-checksum-algorithm': 'sha1,sha256',
  };
}
