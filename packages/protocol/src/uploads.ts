import { z } from 'zod';
import { Id } from './common.ts';
import { endpoint } from './endpoint.ts';

export const TUS_VERSION = '1.0.0';
export const TUS_EXTENSIONS = 'creation,creation-with-upload,termination,expiration,checksum';
export const TUS_CONTENT_TYPE = 'application/offset+octet-stream';

const one = z.object({ id: Id });

/** tus 1.0.0 (https://tus.io/protocols/resumable-upload). `Location` ends in the `uploadId` that `POST /videos` takes. */
const optionsOf = (path: string) =>
  endpoint({
    method: 'OPTIONS',
    path,
    tag: 'uploads',
    summary: 'What this server can: version, extensions, largest size, checksum algorithms',
    access: 'public',
    limit: 'read',
    status: 204,
  });

export const uploads = {
  options: optionsOf('/uploads'),
  optionsOfOne: optionsOf('/uploads/{id}'),
  create: endpoint({
    method: 'POST',
    path: '/uploads',
    tag: 'uploads',
    summary: 'Begin a tus upload: `Upload-Length`, and `Upload-Metadata` with `filename` and `filetype`',
    access: 'user',
    limit: 'upload',
    rawBody: TUS_CONTENT_TYPE,
    status: 201,
    problems: [
      'tus-version',
      'tus-extension',
      'upload-too-large',
      'upload-quota',
      'too-many-uploads',
      'no-space',
    ],
  }),
  head: endpoint({
    method: 'HEAD',
    path: '/uploads/{id}',
    tag: 'uploads',
    summary: 'Where the upload goes on: `Upload-Offset`',
    access: 'user',
    limit: 'upload',
    params: one,
    status: 200,
  }),
  append: endpoint({
    method: 'PATCH',
    path: '/uploads/{id}',
    tag: 'uploads',
    summary: 'Add bytes at `Upload-Offset`; the last ones are answered when the file has been examined',
    access: 'user',
    limit: 'upload',
    params: one,
    rawBody: TUS_CONTENT_TYPE,
    status: 204,
    problems: [
      'upload-offset-conflict',
      'upload-locked',
      'upload-checksum-mismatch',
      'no-space',
      'media-unreadable',
      'media-truncated',
      'media-no-video',
      'media-too-long',
      'media-too-short',
      'media-dimensions',
      'media-too-complex',
      'media-codec-unsupported',
    ],
  }),
  override: endpoint({
    method: 'POST',
    path: '/uploads/{id}',
    tag: 'uploads',
    summary: 'PATCH, DELETE or HEAD by `X-HTTP-Method-Override`, where a proxy knows only GET and POST',
    access: 'user',
    limit: 'upload',
    params: one,
    rawBody: TUS_CONTENT_TYPE,
    status: 204,
  }),
  delete: endpoint({
    method: 'DELETE',
    path: '/uploads/{id}',
    tag: 'uploads',
    summary: 'Give an upload up',
    access: 'user',
    limit: 'upload',
    params: one,
    status: 204,
  }),
};
